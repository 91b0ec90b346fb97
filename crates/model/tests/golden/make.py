#!/usr/bin/env python3
"""Writes the golden files next to this script: the states of PyTorch's `transformers` for token ids.

    pip install torch==2.15.0 transformers==5.23.0 safetensors==0.8.0 tokenizers==0.23.3
    tools/model/fetch-minilm
    python3 crates/model/tests/golden/make.py target/models/all-MiniLM-L6-v2

Everything is f32, one sequence at a time and so without padding. Weights come from seeded NumPy
generators and one thread does the sums: a second run on the same machine gives the same bytes.
Another machine may differ by the noise of the reference, which is printed: the largest distance
from the same model in f64.

- `tiny/`, `tiny-distil/`, `tiny-tanh/`, `tiny-roberta/`: random models of odd sizes (`config.json`,
  `model.safetensors`). `lengths.npy` [longest, 4, hidden] has for every length n from 1 the rows
  0, n/2 and n-1 of the last hidden state and the mean over all rows, for the ids
  (31 i + 17 n + 7) mod 101. `tiny/17.npy` and `tiny/33.npy` are whole last hidden states.
- `minilm.npy` [20, 4, 384]: the same four rows of all-MiniLM-L6-v2 at the lengths below, for the
  ids 1000 + (7919 i + 104729 n) mod 28000, but 101 ([CLS]) at the start and, unless n is 1,
  102 ([SEP]) at the end.
- `minilm_texts.json`: texts with token ids, the bytes of each token (null for tokens that are not
  in the text) and the unit-length states of the first and the last token.
"""
import json
import sys
from pathlib import Path

import numpy
import torch
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel, PreTrainedModel
from transformers.utils import logging

HERE = Path(__file__).parent
BERT = {
    "architectures": ["BertModel"], "model_type": "bert", "vocab_size": 101, "type_vocab_size": 2,
    "layer_norm_eps": 1e-12, "pad_token_id": 0,
}
TINY = {
    "tiny": BERT | {
        "num_hidden_layers": 3, "hidden_size": 48, "num_attention_heads": 3,
        "intermediate_size": 80, "max_position_embeddings": 512, "hidden_act": "gelu",
    },
    "tiny-distil": {
        "architectures": ["DistilBertModel"], "model_type": "distilbert", "vocab_size": 101,
        "n_layers": 2, "dim": 32, "n_heads": 4, "hidden_dim": 72, "max_position_embeddings": 128,
        "activation": "gelu", "pad_token_id": 0,
    },
    "tiny-tanh": BERT | {
        "num_hidden_layers": 1, "hidden_size": 20, "num_attention_heads": 2,
        "intermediate_size": 36, "max_position_embeddings": 40, "hidden_act": "gelu_new",
    },
    "tiny-roberta": {
        "architectures": ["RobertaModel"], "model_type": "roberta", "vocab_size": 101,
        "type_vocab_size": 1, "layer_norm_eps": 1e-5, "pad_token_id": 3, "num_hidden_layers": 2,
        "hidden_size": 12, "num_attention_heads": 3, "intermediate_size": 20,
        "max_position_embeddings": 24, "hidden_act": "gelu",
    },
}
WHOLE = {"tiny": [17, 33]}
MINILM_LENGTHS = [
    1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512,
]
TEXTS = [
    "",
    "lighthouse",
    "What?! (Really...) \"yes\" -- no; e-mail: me@example.org, 50% off & more/less.",
    "A naïve café owner in Århus re-read Dvořák's crème brûlée recipe.",
    "Combining marks: e\u0301te\u0301 and été should meet; \ufb01ne ligatures may not.",
    "東京は日本の首都です。 Seoul is 서울, Beijing is 北京.",
    "Ship it 🚀🚀, said the 👩\u200d💻 — 👍🏽 done ✅",
    "In 1969, 3.14159 x 10^-7 kg cost $1,299.99 (about £1.05k) at 09:30:07 UTC.",
    "  tabs\tand\r\nnew\u00a0lines  and\u200bzero widths, "
    "pneumonoultramicroscopicsilicovolcanoconiosis ",
    "Tides rise and fall because the Moon pulls harder on the side of the Earth that faces it. "
    "The water bulges there, and on the far side as well, where the pull is weakest. As the Earth "
    "turns, a harbour passes through both bulges, so most coasts see two high tides a day, about "
    "twelve hours and twenty-five minutes apart. When the Sun lines up with the Moon the two pulls "
    "add, and the tides are called spring tides; a week later they work against each other.",
]


def tiny_ids(length: int) -> list[int]:
    return [(i * 31 + length * 17 + 7) % 101 for i in range(length)]


def minilm_ids(length: int) -> list[int]:
    ids = [1000 + (i * 7919 + length * 104729) % 28000 for i in range(length)]
    ids[-1] = 102
    ids[0] = 101
    return ids


def longest(config: dict) -> int:
    """The longest text; RoBERTa counts positions from the one after the id of the padding token."""
    first = config["pad_token_id"] + 1 if config["model_type"] == "roberta" else 0
    return config["max_position_embeddings"] - first


def random_model(directory: Path, config: dict, seed: int) -> PreTrainedModel:
    """Writes a random model and loads it again. No weight keeps its default of 0 or 1."""
    directory.mkdir(exist_ok=True)
    (directory / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    # Without the pooler: its weights do not touch the last hidden state.
    shape = AutoModel.from_config(AutoConfig.from_pretrained(directory)).state_dict()
    numbers = numpy.random.default_rng(seed)
    weights = {}
    for name in sorted(name for name in shape if not name.startswith("pooler.")):
        values = 0.2 * numbers.standard_normal(tuple(shape[name].shape))
        weights[name] = (values + name.lower().endswith("norm.weight")).astype("<f4")
    save_file(weights, directory / "model.safetensors", metadata={"format": "pt"})
    return load(directory)


def load(directory: Path) -> PreTrainedModel:
    return AutoModel.from_pretrained(
        directory, dtype=torch.float32, attn_implementation="eager").eval()


def states(model: PreTrainedModel, ids: list[int]) -> numpy.ndarray:
    """The last hidden state of one sequence, [tokens, hidden]."""
    with torch.inference_mode():
        return model(input_ids=torch.tensor([ids])).last_hidden_state[0].numpy()


def four_rows(model: PreTrainedModel, ids: list[int]) -> numpy.ndarray:
    rows = states(model, ids)
    return numpy.stack([rows[0], rows[len(ids) // 2], rows[-1], rows.mean(0)])


def save(path: Path, name: str, values: numpy.ndarray) -> None:
    with (path / name).open("wb") as file:
        numpy.lib.format.write_array(
            file, numpy.ascontiguousarray(values, "<f4"), version=(1, 0), allow_pickle=False)


def report(name: str, f32: numpy.ndarray, f64: numpy.ndarray) -> None:
    print(f"{name}: {f32.shape}, states up to {abs(f64).max():.2f}, spread {f64.std():.2f}, "
          f"f32 is within {abs(f32 - f64).max():.1e} of f64")


def write_tiny(name: str, config: dict, seed: int) -> None:
    directory = HERE / name
    model = random_model(directory, config, seed)
    for length in WHOLE.get(name, []):
        save(directory, f"{length}.npy", states(model, tiny_ids(length)))
    inputs = [tiny_ids(n) for n in range(1, longest(config) + 1)]
    rows = numpy.stack([four_rows(model, ids) for ids in inputs])
    save(directory, "lengths.npy", rows)
    report(name, rows, numpy.stack([four_rows(model.double(), ids) for ids in inputs]))


def write_minilm(model: PreTrainedModel) -> None:
    inputs = [minilm_ids(n) for n in MINILM_LENGTHS]
    rows = numpy.stack([four_rows(model, ids) for ids in inputs])
    save(HERE, "minilm.npy", rows)
    report("minilm", rows, numpy.stack([four_rows(model.double(), ids) for ids in inputs]))
    model.float()


def write_texts(model: PreTrainedModel, tokenizer: Tokenizer) -> None:
    tokenizer.no_truncation()
    tokenizer.no_padding()
    lines = ",\n".join(
        json.dumps(text_record(model, tokenizer, text), ensure_ascii=False) for text in TEXTS)
    (HERE / "minilm_texts.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def text_record(model: PreTrainedModel, tokenizer: Tokenizer, text: str) -> dict:
    encoding = tokenizer.encode(text)
    rows = states(model, encoding.ids)
    rows = rows / numpy.linalg.norm(rows, axis=1, keepdims=True)
    return {
        "text": text,
        "ids": encoding.ids,
        "bytes": [
            None if special else [len(text[:end].encode()) for end in offsets]
            for offsets, special in zip(encoding.offsets, encoding.special_tokens_mask)
        ],
        "first": [round(float(x), 6) for x in rows[0]],
        "last": [round(float(x), 6) for x in rows[-1]],
    }


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    # It would list the poolers that are missing, and draw bars.
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(1)
    for seed, (name, config) in enumerate(TINY.items(), start=1):
        write_tiny(name, config, seed)
    minilm = Path(sys.argv[1])
    model = load(minilm)
    write_minilm(model)
    write_texts(model, Tokenizer.from_file(str(minilm / "tokenizer.json")))


main()
