#!/usr/bin/env python3
"""Writes two FastLane checkpoints next to this script, and the expected encodings of texts.

    pip install torch==2.15.0 transformers==5.23.0 safetensors==0.8.0 tokenizers==0.23.3
    python3 crates/model/tests/golden/make_lanes.py

Nothing here is taken from the Rust code: the encoder is PyTorch's `transformers`, the rest is
implemented below as in the paper. Everything is f32. Weights come from seeded generators.

- `lanes-split/`: towers of different shapes, a router of states, three document lanes and their
  mean, queries padded with [MASK] that is not attended to.
- `lanes-tied/`: one tower, a router of views, lane views with a separate projection, no unit
  length.

`texts.json` in each has for every text the token ids, alpha, views, lane views and the soft lane
of the query, and the token ids, views and lane views of the document.
"""
import json
from pathlib import Path
from typing import Optional

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import normalize, softmax
from transformers import AutoConfig, AutoModel, PreTrainedModel
from transformers.utils import logging

HERE = Path(__file__).parent
TOKENIZER = HERE.parent / "fixtures" / "tokenizer.json"
CLS, SEP, MASK, QUERY, DOCUMENT, DOT = 2, 3, 4, 70, 71, 59
IDENTITY = "torch.nn.modules.linear.Identity"
QUERY_LENGTH, DOCUMENT_LENGTH, DIM = 12, 20, 8
TEXTS = [
    "",
    "The lighthouse",
    "what is the light of a harbour?",
    "The ship is on the light. A bee is on the ship, what of the bee? Nothing.",
]


def encoder_config(layers: int, hidden: int, heads: int, inner: int) -> dict:
    return {
        "architectures": ["BertModel"], "model_type": "bert", "vocab_size": 72,
        "type_vocab_size": 2, "layer_norm_eps": 1e-12, "pad_token_id": 0, "hidden_act": "gelu",
        "num_hidden_layers": layers, "hidden_size": hidden, "num_attention_heads": heads,
        "intermediate_size": inner, "max_position_embeddings": 32,
    }


class Tower:
    """An encoder and its Dense module, as PyLate lays them out."""

    def __init__(self, directory: Path, config: dict, st: dict, numbers: torch.Generator):
        directory.mkdir(exist_ok=True)
        self.hidden = config["hidden_size"]
        self.expand = st["do_query_expansion"]
        write_json(directory / "config.json", config)
        write_json(directory / "config_sentence_transformers.json", st)
        write_json(directory / "modules.json", [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Dense", "type": "pylate.models.Dense.Dense"},
        ])
        (directory / "tokenizer.json").write_bytes(TOKENIZER.read_bytes())
        self.encoder = random_encoder(directory, numbers)
        self.dense = 0.3 * torch.randn(DIM, self.hidden, generator=numbers)
        dense = directory / "1_Dense"
        dense.mkdir(exist_ok=True)
        write_json(dense / "config.json", {
            "in_features": self.hidden, "out_features": DIM, "bias": False,
            "activation_function": IDENTITY,
        })
        save_file({"linear.weight": self.dense}, dense / "model.safetensors")

    def states(self, ids: list[int], attended: int) -> Tensor:
        mask = torch.tensor([[1] * attended + [0] * (len(ids) - attended)])
        with torch.inference_mode():
            return self.encoder(
                input_ids=torch.tensor([ids]), attention_mask=mask).last_hidden_state[0]


def random_encoder(directory: Path, numbers: torch.Generator) -> PreTrainedModel:
    shape = AutoModel.from_config(AutoConfig.from_pretrained(directory)).state_dict()
    weights = {}
    for name in sorted(name for name in shape if not name.startswith("pooler.")):
        values = 0.3 * torch.randn(shape[name].shape, generator=numbers)
        weights[name] = values + name.endswith("LayerNorm.weight")
    save_file(weights, directory / "model.safetensors", metadata={"format": "pt"})
    return AutoModel.from_pretrained(
        directory, dtype=torch.float32, attn_implementation="eager").eval()


class Router:
    """Equation 3, the document lanes, and projections for lanes."""

    def __init__(self, directory: Path, config: dict, query: Tower, document: Tower,
                 numbers: torch.Generator):
        directory.mkdir(exist_ok=True)
        write_json(directory / "config.json", config)
        self.config = config
        width = config["attention"]
        token = query.hidden if config["input"] == "states" else DIM
        shapes = {f"attention.{part}.weight": (width, token) for part in ("query", "key", "value")}
        shapes |= {f"attention.{part}.bias": (width,) for part in ("query", "key", "value")}
        shapes |= {"dense.weight": (1, width + token), "dense.bias": (1,)}
        if config["document_lanes"]:
            shapes["lanes.slots"] = (config["document_lanes"], width)
            shapes["lanes.key.weight"] = (width, document.hidden)
        if config["lane_dim"]:
            shapes["lane_query.weight"] = (config["lane_dim"], query.hidden)
            shapes["lane_document.weight"] = (config["lane_dim"], document.hidden)
        self.weights = {
            name: 0.7 * torch.randn(shape, generator=numbers) for name, shape in shapes.items()}
        save_file(self.weights, directory / "model.safetensors")

    def alpha(self, tokens: Tensor) -> Tensor:
        query, key, value = (
            tokens @ self.weights[f"attention.{part}.weight"].T
            + self.weights[f"attention.{part}.bias"]
            for part in ("query", "key", "value"))
        seen = softmax(query @ key.T / self.config["attention"] ** 0.5, dim=1) @ value
        both = torch.cat([seen, tokens], dim=1)
        return softmax(both @ self.weights["dense.weight"][0] + self.weights["dense.bias"], dim=0)

    def pooled(self, states: Tensor) -> Optional[Tensor]:
        if not self.config["document_lanes"]:
            return None
        keys = states @ self.weights["lanes.key.weight"].T
        fits = self.weights["lanes.slots"] @ keys.T / self.config["attention"] ** 0.5
        return torch.cat([softmax(fits, dim=1) @ states, states.mean(0, keepdim=True)])

    def lane(self, side: str) -> Optional[Tensor]:
        return self.weights.get(f"lane_{side}.weight")


class Method:
    """A whole checkpoint: texts in, views out."""

    def __init__(self, name: str, seed: int, *, split: bool, unit: bool, expand: bool,
                 router: dict):
        numbers = torch.Generator().manual_seed(seed)
        directory = HERE / name
        st = {
            "model_type": "ColBERT", "similarity_fn_name": "MaxSim", "query_prefix": "[Q] ",
            "document_prefix": "[D] ", "query_length": QUERY_LENGTH,
            "document_length": DOCUMENT_LENGTH, "do_query_expansion": expand,
            "attend_to_expansion_tokens": False, "skiplist_words": ["."],
        }
        mark = {"fastlane": {"format": 1, "normalise": unit, "split": split, "router": True}}
        self.unit = unit
        self.document = Tower(directory, encoder_config(2, 20, 2, 28), st | mark, numbers)
        self.query = self.document
        if split:
            self.query = Tower(directory / "query", encoder_config(1, 12, 3, 20), st, numbers)
        self.router = Router(
            directory / "2_FastLaneRouter", router, self.query, self.document, numbers)
        self.tokenizer = Tokenizer.from_file(str(TOKENIZER))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        write_json(directory / "texts.json", [self.record(text) for text in TEXTS])

    def ids(self, text: str, prefix: int, length: int) -> list[int]:
        words = self.tokenizer.encode(text, add_special_tokens=False).ids
        return [CLS, prefix, *words[:length - 3], SEP]

    def views(self, states: Tensor, weights: Tensor) -> Tensor:
        views = states @ weights.T
        return normalize(views, dim=-1) if self.unit else views

    def record(self, text: str) -> dict:
        return {
            "text": text,
            "query": rounded(self.of_query(text)),
            "document": rounded(self.of_document(text)),
        }

    def of_query(self, text: str) -> dict:
        tower = self.query
        ids = self.ids(text, QUERY, QUERY_LENGTH)
        attended = len(ids)
        if tower.expand:
            ids += [MASK] * (QUERY_LENGTH - attended)
        states = tower.states(ids, attended)
        views = self.views(states, tower.dense)
        alpha = self.router.alpha(states if self.router.config["input"] == "states" else views)
        own = self.router.lane("query")
        return {
            "ids": ids,
            "views": views,
            "alpha": alpha,
            "lane_views": None if own is None else self.views(states, own),
            "soft_lane": self.views(alpha @ states, tower.dense if own is None else own),
        }

    def of_document(self, text: str) -> dict:
        tower = self.document
        ids = self.ids(text, DOCUMENT, DOCUMENT_LENGTH)
        states = tower.states(ids, len(ids))
        kept = [place for place, token in enumerate(ids) if token != DOT]
        own, pooled = self.router.lane("document"), self.router.pooled(states)
        searched = states[kept] if pooled is None else pooled
        searched_by = tower.dense if own is None else own
        apart = pooled is not None or own is not None
        return {
            "ids": [ids[place] for place in kept],
            "views": self.views(states[kept], tower.dense),
            "lane_views": self.views(searched, searched_by) if apart else None,
        }


def rounded(record: dict) -> dict:
    def values(found: object) -> object:
        if not isinstance(found, Tensor):
            return found
        return [round(float(value), 6) for value in found.flatten()]
    return {key: values(found) for key, found in record.items()}


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value) + "\n", encoding="utf-8")


def main() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(1)
    Method("lanes-split", 11, split=True, unit=True, expand=True, router={
        "input": "states", "attention": 5, "document_lanes": 3, "lane_dim": None})
    Method("lanes-tied", 12, split=False, unit=False, expand=False, router={
        "input": "views", "attention": 7, "document_lanes": None, "lane_dim": 5})


main()
