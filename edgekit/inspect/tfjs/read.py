"""Reading a TF.js graph model: model.json says everything but the shapes between the nodes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.inspect import macs
from edgekit.inspect.compute import element_compute, kernel_compute
from edgekit.inspect.model import Compute, Graph, Quantization, Tensor
from edgekit.inspect.tfjs.operation import Operation
from edgekit.inspect.tfjs.shapes import infer_shape
from edgekit.inspect.tfjs.values import LARGEST, infer_value
from edgekit.inspect.wiring import RawNode, Wiring
from edgekit_runtimes.errors import ArtifactError, first_line, map_exceptions
from edgekit_runtimes.formats import FORMATS
from edgekit_runtimes.tensors import Array

MODEL_FILE = FORMATS["tfjs"].main_file

# Operators with a kernel: the places of the data and of the kernel among the inputs.
KERNELS = {
    "Conv2D": (0, 1),
    "_FusedConv2D": (0, 1),
    "DepthwiseConv2dNative": (0, 1),
    "FusedDepthwiseConv2dNative": (0, 1),
    "Conv3D": (0, 1),
    "Conv2DBackpropInput": (2, 1),
    "MatMul": (0, 1),
    "_FusedMatMul": (0, 1),
    "BatchMatMul": (0, 1),
    "BatchMatMulV2": (0, 1),
}
# The axes of the output channels in a kernel.
OUTPUT_CHANNELS = {
    "Conv2D": (3,),
    "_FusedConv2D": (3,),
    "DepthwiseConv2dNative": (2, 3),
    "FusedDepthwiseConv2dNative": (2, 3),
    "Conv3D": (4,),
}
# The kernel of a Conv2DBackpropInput is [height, width, output channels, input channels].
TRANSPOSED_INPUT_CHANNELS = 3
# Operators that multiply, a number of times that shapes do not tell or that no rule here counts.
UNCOUNTED = frozenset({"While", "StatelessWhile", "If", "StatelessIf", "Einsum"})
CONVERSIONS = frozenset({"Cast"})
# A node that is an input or a constant computes nothing: it is a tensor here.
TENSOR_OPS = frozenset({"Const", "Placeholder"})

DTYPES = {
    "DT_FLOAT": "float32",
    "DT_INT32": "int32",
    "DT_BOOL": "bool",
    "DT_STRING": "string",
    "DT_COMPLEX64": "complex64",
}
ITEM_BYTES = {"float32": 4, "int32": 4, "bool": 1, "uint8": 1, "uint16": 2, "float16": 2}


def read_tfjs(folder: Path) -> Graph:
    """Return the graph of a TF.js folder. Raises ArtifactError if it is damaged."""
    path = folder / MODEL_FILE
    with map_exceptions(f"{path} is damaged", ArtifactError, OSError, ValueError, RecursionError):
        model = json.loads(path.read_text(encoding="utf-8"))
    try:
        weights = dict(_weights(folder, model["weightsManifest"]))
        return _Model(model["modelTopology"], weights).graph()
    except ArtifactError:
        raise
    except Exception as error:
        raise ArtifactError(
            f"{path} is not a TF.js graph model ({type(error).__name__}: {first_line(error)})."
        ) from error


class _Weight:
    """An entry of the weights manifest, and where its bytes are in the shards."""

    def __init__(self, entry: Mapping[str, Any], shards: Sequence[Path], start: int) -> None:
        quantization = entry.get("quantization") or {}
        self.name = str(entry["name"])
        self.shape = tuple(int(size) for size in entry["shape"])
        self.dtype = str(entry["dtype"])
        self.stored = str(quantization.get("dtype", self.dtype))
        self.scale = quantization.get("scale")
        self.bytes = math.prod(self.shape) * ITEM_BYTES[self.stored]
        self._shards, self._start = shards, start

    def tensor(self) -> Tensor:
        """Return it as a tensor."""
        scale = None if self.scale is None else Quantization(1, scale=float(self.scale))
        return Tensor(self.name, self.shape, self.dtype, scale, self.stored, self.bytes)

    def values(self) -> Array | None:
        """Return its values where they may be axes or sizes."""
        if self.stored != "int32" or math.prod(self.shape) > LARGEST:
            return None
        data, position = b"", 0
        for shard in self._shards:
            size = shard.stat().st_size
            first, last = (
                min(max(place - position, 0), size)
                for place in (self._start, self._start + self.bytes)
            )
            with shard.open("rb") as file:
                file.seek(first)
                data += file.read(last - first)
            position += size
        return np.frombuffer(data, "<i4").reshape(self.shape)


def _weights(folder: Path, manifest: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, _Weight]]:
    for group in manifest:
        shards = [folder / name for name in group["paths"]]
        for name, shard in zip(group["paths"], shards, strict=True):
            if shard.parent != folder:
                raise ArtifactError(
                    f"{folder / MODEL_FILE} names a weight file elsewhere: '{name}'."
                )
            if not shard.is_file():
                raise ArtifactError(f"{folder} lacks the weight file {shard.name}.")
        start = 0
        for entry in group["weights"]:
            weight = _Weight(entry, shards, start)
            start += weight.bytes
            yield weight.name, weight
        held = sum(shard.stat().st_size for shard in shards)
        if held != start:
            raise ArtifactError(
                f"{folder}: the weight files {', '.join(group['paths'])} hold {held} bytes and "
                f"{MODEL_FILE} says {start}."
            )


class _Model:
    """One model: its topology, a GraphDef as JSON, and its weights."""

    def __init__(self, topology: Mapping[str, Any], weights: Mapping[str, _Weight]) -> None:
        self._topology = topology
        self._weights = weights
        self._tensors: dict[str, Tensor] = {}
        self._values: dict[str, Array] = {}

    def graph(self) -> Graph:
        """Return the graph, the main one's nodes first."""
        forms = [(form, "") for form in _sorted(self._topology["node"])]
        for function in self._topology.get("library", {}).get("function", ()):
            scope = f"{function['signature']['name']}/"
            forms += [(form, scope) for form in function["nodeDef"]]
        nodes = [
            self._node(form, scope) for form, scope in forms if not self._take_tensor(form, scope)
        ]
        return Wiring(self._tensors, nodes).graph(_compute)

    def _take_tensor(self, form: Mapping[str, Any], scope: str) -> bool:
        """Note an input or a constant; return whether the node was one."""
        name, key = form["name"], f"{scope}{form['name']}"
        if form["op"] == "Const":
            weight = self._weights[name]
            self._tensors[key] = weight.tensor()
            values = weight.values()
            if values is not None:
                self._values[key] = values
        elif form["op"] == "Placeholder":
            operation = Operation(form, [], [])
            self._tensors[key] = Tensor(name, infer_shape(operation), _dtype(operation))
        return form["op"] in TENSOR_OPS

    def _node(self, form: Mapping[str, Any], scope: str) -> RawNode:
        op = form["op"]
        inputs = tuple(_key(name, scope) for name in form.get("input", ()) if name[0] != "^")
        key = f"{scope}{form['name']}"
        operation = Operation(
            form,
            [self._tensors[name].shape if name in self._tensors else None for name in inputs],
            [self._values.get(name) for name in inputs],
        )
        shape = None
        if not scope:
            value = infer_value(operation)
            if value is not None:
                self._values[key] = value
            shape = infer_shape(operation) if value is None else value.shape
        self._tensors[key] = Tensor(form["name"], shape, _dtype(operation))
        data, kernel = KERNELS.get(op, (0, None))
        return RawNode(
            op=op,
            inputs=inputs,
            outputs=(key,),
            macs=_macs(operation, self._tensors[key], in_body=bool(scope)),
            data=data,
            kernel=kernel,
            in_body=bool(scope),
        )


def _macs(operation: Operation, output: Tensor, in_body: bool) -> int | None:
    op, shapes = operation.op, operation.shapes
    if op in UNCOUNTED:
        return None
    if op not in KERNELS:
        return 0
    if in_body:
        return None
    data, kernel = (shapes[place] if place < len(shapes) else None for place in KERNELS[op])
    if op in OUTPUT_CHANNELS:
        return macs.convolution(output.shape, kernel, OUTPUT_CHANNELS[op])
    if op == "Conv2DBackpropInput":
        return macs.transposed_convolution(macs.elements(data), kernel, TRANSPOSED_INPUT_CHANNELS)
    transposed = operation.flag("transpose_a") or operation.flag("adj_x")
    return macs.matmul(output.shape, data, transposed)


def _compute(wiring: Wiring, node: RawNode) -> Compute:
    if node.op in CONVERSIONS:
        return "conversion"
    kernel = node.at(node.kernel)
    if kernel:
        stored = wiring.stored_dtype(kernel)
        return kernel_compute(wiring.dtype(node.at(node.data)), wiring.dtype(kernel), stored)
    return element_compute(wiring.dtype(node.outputs[0]), is_quantized=False)


def _dtype(operation: Operation) -> str:
    for name in ("DstT", "out_type", "dtype", "T"):
        if operation.word(name):
            return DTYPES.get(operation.word(name), operation.word(name))
    # Operators without a type attribute of their own make numbers of the graph's usual kind, or
    # truth values and shapes, in which nothing is computed.
    return "unknown"


def _key(name: str, scope: str) -> str:
    """Return the key of an input: "node", "node:0" in the main graph, "node:output:0" in others.

    Further outputs of a node are not told apart: nothing is counted by them.
    """
    return f"{scope}{name.split(':')[0]}"


def _sorted(forms: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return nodes in an order in which each one comes after what it reads.

    model.json may hold constants after their readers. Nodes on a cycle are left out.
    """
    from graphlib import TopologicalSorter

    by_name = {form["name"]: form for form in forms}
    needs = {
        name: [
            source
            for source in (_source(text) for text in form.get("input", ()))
            if source in by_name
        ]
        for name, form in by_name.items()
    }
    return [by_name[name] for name in TopologicalSorter(needs).static_order()]


def _source(name: str) -> str:
    return name.lstrip("^").split(":")[0]
