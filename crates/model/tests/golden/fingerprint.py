"""Computes the fingerprint of a checkpoint in FastLane's layout, from its files alone.

    pip install blake3
    python3 fingerprint.py lanes-split lanes-tied ../../../../models/fastlane-mini

It follows the description in `src/fingerprint/mod.rs` and shares no code with it.
"""

import json
import struct
import sys
from pathlib import Path

from blake3 import blake3

BLOCK = [
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
    "attention.output.LayerNorm",
    "output.LayerNorm",
]
SHAPE = {
    "layers": "num_hidden_layers",
    "hidden": "hidden_size",
    "heads": "num_attention_heads",
    "intermediate": "intermediate_size",
    "vocabulary": "vocab_size",
    "positions": "max_position_embeddings",
    "token_types": "type_vocab_size",
}


class Fields:
    def __init__(self):
        self.bytes = b"\x01"

    def put(self, name, kind, value):
        name = name.encode()
        self.bytes += struct.pack("<I", len(name)) + name
        self.bytes += struct.pack("<BQ", kind, len(value)) + value

    def flag(self, name, value):
        self.put(name, 1, bytes([value]))

    def number(self, name, value):
        self.put(name, 2, struct.pack("<Q", value))

    def float(self, name, value):
        self.put(name, 3, struct.pack("<f", value))

    def text(self, name, value):
        self.put(name, 4, value.encode())

    def numbers(self, name, values):
        self.put(name, 5, b"".join(struct.pack("<Q", value) for value in values))

    def digest(self, name, data):
        self.put(name, 6, blake3(data).digest())

    def tensor(self, weights, stored, name):
        header, data = weights
        ends = ["", "_scale"] if header[stored]["dtype"] == "I8" else [""]
        for end in ends:
            about = header[stored + end]
            start, stop = about["data_offsets"]
            self.text(f"{name}{end}.type", about["dtype"].lower())
            self.numbers(f"{name}{end}.shape", about["shape"])
            self.digest(f"{name}{end}.bytes", data[start:stop])


def read(path):
    return json.loads(path.read_text())


def weights(directory):
    path = directory / "model.safetensors"
    data = (path if path.exists() else directory / "model.int8.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    return header, data[8 + length :]


def tower(fields, directory, part):
    config = read(directory / "config.json")
    fields.text(f"{part}.family", config["model_type"])
    for name, key in SHAPE.items():
        fields.number(f"{part}.{name}", config[key])
    fields.float(f"{part}.epsilon", config["layer_norm_eps"])
    fields.text(f"{part}.activation", config["hidden_act"])
    tables = ["word", "position", "token_type"]
    names = [f"embeddings.{table}_embeddings.weight" for table in tables]
    norms = ["embeddings.LayerNorm"]
    for layer in range(config["num_hidden_layers"]):
        norms += [f"encoder.layer.{layer}.{name}" for name in BLOCK]
    names += [f"{name}.{end}" for name in norms for end in ("weight", "bias")]
    tensors = weights(directory)
    for name in names:
        fields.tensor(tensors, name, f"{part}.{name}")
    modules = read(directory / "modules.json")
    dense = [module["path"] for module in modules if module["type"].endswith("Dense")]
    for index, path in enumerate(dense):
        config = read(directory / path / "config.json")
        fields.number(f"{part}.dense.{index}.from", config["in_features"])
        fields.number(f"{part}.dense.{index}.to", config["out_features"])
        names = ["linear.weight", "linear.bias"][: 1 + config.get("bias", True)]
        for name in names:
            fields.tensor(weights(directory / path), name, f"{part}.dense.{index}.{name}")


def side(fields, settings, vocabulary, name):
    part, prefix = f"{name}.text", settings[f"{name}_prefix"]
    # a prefix of our layout is a token, or empty
    token = vocabulary.get(prefix, vocabulary.get(prefix.strip()))
    if token is not None:
        fields.number(f"{part}.prefix", token)
    length = settings[f"{name}_length"]
    fields.number(f"{part}.length", length)
    if name == "query" and settings["do_query_expansion"]:
        fields.number(f"{part}.expansion.token", vocabulary["[MASK]"])
        fields.number(f"{part}.expansion.length", length)
        fields.flag(f"{part}.expansion.attended", settings["attend_to_expansion_tokens"])
    words = settings["skiplist_words"] if name == "document" else []
    skip = sorted({vocabulary[word] for word in words if word in vocabulary})
    if skip:
        fields.numbers(f"{part}.skip", skip)


def router(fields, directory):
    config = read(directory / "config.json")
    fields.text("router.input", config["input"])
    fields.number("router.attention", config["attention"])
    fields.text("router.lane", config.get("lane", "hard"))
    if config.get("lanes", 1) != 1:
        fields.number("router.lanes", config["lanes"])
    if config.get("document_lanes") is not None:
        fields.number("router.document_lanes", config["document_lanes"])
    if config.get("document_windows"):
        fields.flag("router.document_windows", True)
    if config.get("lane_dim") is not None:
        fields.number("router.lane_dim", config["lane_dim"])
    tensors = weights(directory)
    for name in sorted(tensors[0]):
        fields.tensor(tensors, name, f"router.{name}")


def fingerprint(directory):
    settings = read(directory / "config_sentence_transformers.json")
    tokenizer = (directory / "tokenizer.json").read_bytes()
    about = json.loads(tokenizer)
    vocabulary = dict(about["model"]["vocab"])
    vocabulary.update({token["content"]: token["id"] for token in about["added_tokens"]})
    fields = Fields()
    tower(fields, directory, "document")
    if settings["fastlane"]["split"]:
        tower(fields, directory / "query", "query")
    fields.digest("tokenizer", tokenizer)
    side(fields, settings, vocabulary, "query")
    side(fields, settings, vocabulary, "document")
    fields.flag("normalise", settings["fastlane"]["normalise"])
    if settings["fastlane"]["router"]:
        router(fields, directory / "2_FastLaneRouter")
    return f"f1-{blake3(fields.bytes).hexdigest()[:32]}"


for path in sys.argv[1:]:
    print(path, fingerprint(Path(path)))
