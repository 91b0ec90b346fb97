"""Makes ONNX models of a BERT checkpoint from its safetensors, without PyTorch.

The graph has the nodes that PyTorch's exporter would write, so that ONNX Runtime's own optimiser
finds its fused attention, GELU and layer norms. There is no attention mask: every sequence is
full, which saves ONNX Runtime the work. The int8 model is that of Optimum's `avx512_vnni`
settings: dynamic, one scale per output channel, signed weights, full range.
"""
import json
import math
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.fusion_options import FusionOptions
from onnxruntime.transformers.optimizer import optimize_model
from safetensors.numpy import load_file


class Graph:
    """Builds a graph. Methods add a node and return the name of its output."""

    def __init__(self, weights: dict[str, numpy.ndarray]):
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: numpy.ndarray) -> str:
        self.constants.setdefault(name, numpy_helper.from_array(value, name))
        return name

    def weight(self, name: str) -> str:
        return self.constant(name, self.weights[name].astype(numpy.float32))

    def node(self, kind: str, *inputs: str, output: str | None = None, **attributes) -> str:
        output = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output

    def linear(self, x: str, name: str) -> str:
        transposed = numpy.ascontiguousarray(self.weights[f"{name}.weight"].T, numpy.float32)
        product = self.node("MatMul", x, self.constant(f"{name}.transposed", transposed))
        return self.node("Add", product, self.weight(f"{name}.bias"))

    def norm(self, x: str, name: str, epsilon: float, output: str | None = None) -> str:
        scale, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.node(
            "LayerNormalization", x, scale, bias, output=output, axis=-1, epsilon=epsilon)

    def scalar(self, value: float) -> str:
        return self.constant(f"scalar_{value}", numpy.array(value, numpy.float32))

    def gelu(self, x: str) -> str:
        erf = self.node("Erf", self.node("Div", x, self.scalar(math.sqrt(2))))
        product = self.node("Mul", x, self.node("Add", erf, self.scalar(1.0)))
        return self.node("Mul", product, self.scalar(0.5))

    def heads(self, x: str, name: str, heads: int, order: list[int]) -> str:
        size = self.weights[f"{name}.weight"].shape[0] // heads
        shape = self.constant("split", numpy.array([0, 0, heads, size]))
        return self.node("Transpose", self.node("Reshape", self.linear(x, name), shape), perm=order)

    def attention(self, x: str, name: str, config: dict) -> str:
        heads, hidden = config["num_attention_heads"], config["hidden_size"]
        query = self.heads(x, f"{name}.self.query", heads, [0, 2, 1, 3])
        key = self.heads(x, f"{name}.self.key", heads, [0, 2, 3, 1])
        value = self.heads(x, f"{name}.self.value", heads, [0, 2, 1, 3])
        scores = self.node("MatMul", query, key)
        scores = self.node("Div", scores, self.scalar(math.sqrt(hidden // heads)))
        mixed = self.node("MatMul", self.node("Softmax", scores, axis=-1), value)
        mixed = self.node("Transpose", mixed, perm=[0, 2, 1, 3])
        mixed = self.node("Reshape", mixed, self.constant("join", numpy.array([0, 0, hidden])))
        return self.linear(mixed, f"{name}.output.dense")

    def layer(self, x: str, name: str, config: dict, output: str | None) -> str:
        epsilon = config["layer_norm_eps"]
        mixed = self.attention(x, f"{name}.attention", config)
        x = self.norm(
            self.node("Add", mixed, x), f"{name}.attention.output.LayerNorm", epsilon)
        inner = self.gelu(self.linear(x, f"{name}.intermediate.dense"))
        inner = self.node("Add", self.linear(inner, f"{name}.output.dense"), x)
        return self.norm(inner, f"{name}.output.LayerNorm", epsilon, output)

    def embeddings(self, config: dict) -> str:
        words = self.node("Gather", self.weight("embeddings.word_embeddings.weight"), "input_ids")
        length = self.node("Shape", "input_ids", start=1, end=2)
        zero, one = (self.constant(f"at_{n}", numpy.array([n])) for n in (0, 1))
        positions = self.node(
            "Slice", self.weight("embeddings.position_embeddings.weight"), zero, length, zero, one)
        kind = self.constant("segment", self.weights["embeddings.token_type_embeddings.weight"][0])
        total = self.node("Add", self.node("Add", words, kind), positions)
        return self.norm(total, "embeddings.LayerNorm", config["layer_norm_eps"])


def export(model: Path, path: Path) -> dict:
    """Writes the plain f32 graph: `input_ids` [batch, tokens] to `last_hidden_state`."""
    config = json.loads((model / "config.json").read_text())
    if config["model_type"] != "bert" or config["hidden_act"] != "gelu":
        raise SystemExit(f"{model}: the bench exports BERT with gelu only")
    graph = Graph(load_file(model / "model.safetensors"))
    x = graph.embeddings(config)
    for layer in range(config["num_hidden_layers"]):
        last = layer + 1 == config["num_hidden_layers"]
        x = graph.layer(x, f"encoder.layer.{layer}", config, "last_hidden_state" if last else None)
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])
    states = helper.make_tensor_value_info(
        x, TensorProto.FLOAT, ["batch", "tokens", config["hidden_size"]])
    onnx_graph = helper.make_graph(
        graph.nodes, "bert", [ids], [states], list(graph.constants.values()))
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(onnx_graph, opset_imports=opset, ir_version=8), path)
    return config


def graphs(model: Path, folder: Path) -> dict[str, dict[str, Path]]:
    """Models in f32 and in int8, each as exported and with fused operators.

    ONNX Runtime also fuses operators of an exported model when it loads it; which of the two is
    faster depends on the machine.
    """
    folder.mkdir(parents=True, exist_ok=True)
    f32 = {name: folder / f"{name}.onnx" for name in ("exported", "fused")}
    int8 = {name: folder / f"{name}-int8.onnx" for name in f32}
    config = export(model, f32["exported"])
    optimiser = optimize_model(
        str(f32["exported"]), "bert", config["num_attention_heads"], config["hidden_size"],
        optimization_options=FusionOptions("bert"), opt_level=0)
    optimiser.save_model_to_file(str(f32["fused"]))
    for name, path in f32.items():
        quantize_dynamic(
            path, int8[name], per_channel=True, reduce_range=False, weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": TensorProto.FLOAT})
    return {"f32": f32, "int8": int8}
