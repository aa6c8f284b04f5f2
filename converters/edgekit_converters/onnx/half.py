"""fp16: weights and computing in half precision, inputs and outputs as they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnx
from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16

from edgekit_converters.calibration import Calibration
from edgekit_converters.integers import LARGEST_HALF
from edgekit_converters.onnx.graph import attribute_of, graphs, inputs_of, sort_nodes, values_of

# Larger constants are masks (-1e9, -inf). What they mask stays finite in float16: as infinity it
# would make NaN of a row that is masked whole.
SMALLEST_MASK = 1e8

FLOAT, HALF = "tensor(float)", "tensor(float16)"


def quantize(
    model: onnx.ModelProto, _calibration: Calibration | None
) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Return the model in half precision. Its inputs and outputs keep their dtypes.

    onnxruntime's converter is used: onnxconverter-common's (1.16) writes loops that do not load,
    and clips weights at 10,000. Masks become float16's largest value; nodes that read other
    constants beyond its range stay in float32.
    """
    kept = list(_beyond_half(model.graph))
    half: onnx.ModelProto = convert_float_to_float16(
        model,
        keep_io_types=True,
        disable_shape_infer=True,
        op_block_list=[*DEFAULT_OP_BLOCK_LIST, *_never_half(model)],
        node_block_list=kept,
    )
    for graph in graphs(half.graph):
        _drop_repeated(graph)
    _drop_round_trips(half.graph, kept)
    # The casts of the inputs are appended after the nodes that read them.
    sort_nodes(half.graph)
    return half, ()


def _never_half(model: onnx.ModelProto) -> set[str]:
    """Return the operators of a model that ONNX defines for float32 and not for float16: IsInf."""
    versions = {entry.domain: entry.version for entry in model.opset_import}
    found = set()
    for graph in graphs(model.graph):
        for node in graph.node:
            if onnx.defs.has(node.op_type, node.domain):
                schema = onnx.defs.get_schema(node.op_type, versions[node.domain], node.domain)
                taken = [set(value.types) for value in schema.inputs]
                if any(FLOAT in types and HALF not in types for types in taken):
                    found.add(node.op_type)
    return found


def _drop_repeated(graph: Any) -> None:
    """Remove the second of two nodes that make the same tensor.

    The converter writes a cast for each time that a node of float32 reads a tensor.
    """
    made: set[str] = set()
    repeated = []
    for node in graph.node:
        if made.intersection(filter(None, node.output)):
            repeated.append(node)
        made.update(node.output)
    for node in repeated:
        graph.node.remove(node)


def _beyond_half(graph: Any) -> Iterator[str]:
    """Yield the names of nodes that shift or scale by more than float16 holds, as sensors do.

    A node without a name gets one.
    """
    large = set()
    for tensor in graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            largest = np.abs(values_of(tensor)).max(initial=0)
            if LARGEST_HALF < largest < SMALLEST_MASK:
                large.add(tensor.name)
    for number, node in enumerate(graph.node):
        if large.intersection(node.input):
            node.name = node.name or f"float_{number}"
            yield node.name


def _drop_round_trips(graph: Any, kept: Sequence[str]) -> None:
    """Let what is cast to float16 only to be cast back be read as it was.

    The converter puts the casts around each node that stays in float32.
    """
    floats = {
        value.name
        for value in graph.input
        if value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    }
    floats.update(name for node in graph.node if node.name in kept for name in node.output)
    casts = [node for node in graph.node if node.op_type == "Cast"]
    halves = {
        node.output[0]: node.input[0]
        for node in casts
        if attribute_of(node, "to", 0) == onnx.TensorProto.FLOAT16 and node.input[0] in floats
    }
    for node in casts:
        if attribute_of(node, "to", 0) == onnx.TensorProto.FLOAT and node.input[0] in halves:
            source, result = halves[node.input[0]], node.output[0]
            node.CopyFrom(onnx.helper.make_node("Identity", [source], [result]))
    read = {name for node in graph.node for name in inputs_of(node)}
    read |= {output.name for output in graph.output}
    for node in casts:
        if node.output[0] not in read:
            graph.node.remove(node)
