#!/usr/bin/env python3
"""Compares vectors that `fastlane encode` wrote with those of PyTorch's `transformers` in f32.

    pip install torch==2.15.0 transformers==5.23.0 tokenizers==0.23.3 numpy
    fastlane encode --model MODEL --input corpus.jsonl --output DIR
    python3 tools/model/compare_with_transformers.py MODEL DIR corpus.jsonl

MODEL is a plain encoder (no Dense after it, no skip list), so that a view is the unit-length last
hidden state of its token. The token ids of the first documents (500, or --documents) are taken
from tokens.npy, encoded again, and the cosine of every token is taken. It also counts in how many
documents the `tokenizers` library finds the same token ids for the text, cut to the same length.
"""
import argparse
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy
import torch
from tokenizers import Tokenizer
from transformers import AutoModel, PreTrainedModel


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("encoded", type=Path, help="output directory of `fastlane encode`")
    parser.add_argument("input", type=Path, help="its input: JSONL with _id, title and text")
    parser.add_argument("--documents", type=int, default=500)
    return parser.parse_args()


def documents(folder: Path) -> Iterator[tuple[str, list[int], numpy.ndarray]]:
    """The id, the token ids and the views of each document."""
    names = (folder / "ids.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
    ends = numpy.load(folder / "doclens.npy").astype(numpy.int64).cumsum()
    vectors = numpy.load(folder / "vectors.npy", mmap_mode="r")
    tokens = numpy.load(folder / "tokens.npy")
    if not len(names) == len(ends) or not ends[-1] == len(vectors) == len(tokens):
        raise SystemExit(f"{folder}: {len(names)} ids, {len(ends)} documents of {ends[-1]} tokens, "
                         f"{len(vectors)} vectors, {len(tokens)} tokens: these do not agree")
    for name, start, end in zip(names, [0, *ends], ends):
        yield name, tokens[start:end].tolist(), vectors[start:end].astype(numpy.float32)


def texts(path: Path) -> dict[str, str]:
    rows = (json.loads(line) for line in path.open(encoding="utf-8"))
    return {row["_id"]: f"{row.get('title', '')} {row['text']}" for row in rows}


def views(model: PreTrainedModel, ids: list[int]) -> numpy.ndarray:
    with torch.inference_mode():
        states = model(input_ids=torch.tensor([ids])).last_hidden_state[0]
    return torch.nn.functional.normalize(states, dim=-1).numpy()


def same_ids(tokenizer: Tokenizer, text: str, ids: list[int]) -> bool:
    whole = tokenizer.encode(text).ids
    return ids == whole[:len(ids) - 1] + whole[-1:]


def main() -> None:
    options = arguments()
    model = AutoModel.from_pretrained(options.model, dtype=torch.float32).eval()
    tokenizer = Tokenizer.from_file(str(options.model / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    source = texts(options.input)
    cosines, equal, lowest = [], 0, (2.0, "")
    for name, ids, ours in itertools.islice(documents(options.encoded), options.documents):
        # f16 storage leaves our views a little off unit length.
        ours /= numpy.linalg.norm(ours, axis=1, keepdims=True)
        cosine = (ours * views(model, ids)).sum(1)
        cosines.append(cosine)
        lowest = min(lowest, (float(cosine.min()), name))
        equal += same_ids(tokenizer, source[name], ids)
    every = numpy.concatenate(cosines)
    print(f"{len(cosines)} documents, {len(every)} tokens: cosine mean {every.mean():.7f}, "
          f"minimum {lowest[0]:.7f} (in {lowest[1]})")
    print(f"the same token ids as `tokenizers` in {equal} of {len(cosines)} documents")


main()
