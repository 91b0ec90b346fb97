"""A checkpoint with views of few dims, made from a plain encoder without any training.

The Dense module holds the principal directions of the token states: the first right singular
vectors of a sample, which is not centred, so that inner products are kept as well as they can be.
"""
import json
import shutil
from pathlib import Path

import numpy
from safetensors.numpy import save_file

DOCUMENT_LENGTH = 256
QUERY_LENGTH = 32
IDENTITY = "torch.nn.modules.linear.Identity"


def principal(states: numpy.ndarray, dim: int) -> tuple[numpy.ndarray, float]:
    """The first `dim` directions as rows, and the share of the squared length they keep."""
    rows = states.astype(numpy.float32)
    values, vectors = numpy.linalg.eigh((rows.T @ rows).astype(numpy.float64))
    kept = values[::-1][:dim].sum() / values.sum()
    return numpy.ascontiguousarray(vectors[:, ::-1][:, :dim].T, dtype=numpy.float32), float(kept)


def write(encoder: Path, output: Path, weights: numpy.ndarray) -> None:
    """Writes the encoder with the Dense behind it in PyLate's layout."""
    aside = output.with_name(output.name + ".partial")
    shutil.rmtree(aside, ignore_errors=True)
    (aside / "1_Dense").mkdir(parents=True)
    for name in ["config.json", "model.safetensors", "tokenizer.json"]:
        shutil.copyfile(encoder / name, aside / name)
    write_json(aside / "modules.json", [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Dense", "type": "pylate.models.Dense.Dense"},
    ])
    write_json(aside / "config_sentence_transformers.json", {
        "model_type": "ColBERT", "similarity_fn_name": "MaxSim", "query_prefix": "",
        "document_prefix": "", "query_length": QUERY_LENGTH, "document_length": DOCUMENT_LENGTH,
        "do_query_expansion": False, "attend_to_expansion_tokens": False, "skiplist_words": [],
    })
    write_json(aside / "1_Dense/config.json", {
        "in_features": weights.shape[1], "out_features": weights.shape[0], "bias": False,
        "activation_function": IDENTITY,
    })
    save_file({"linear.weight": weights}, aside / "1_Dense/model.safetensors")
    aside.rename(output)


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
