"""fp16: weights and computing in half precision, inputs and outputs as they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnx
from onnxruntime.transformers.float16 import convert_float_to_float16

from edgekit_converters.calibration import Calibration
from edgekit_converters.integers import LARGEST_HALF
from edgekit_converters.onnx.graph import attribute_of, inputs_of, sort_nodes, values_of

# Larger constants are masks (-1e9, -inf). What they mask stays finite in float16: as infinity it
# would make NaN of a row that is masked whole.
SMALLEST_MASK = 1e8


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
        node_block_list=kept,
    )
    _drop_round_trips(half.graph, kept)
    # The casts of the inputs are appended after the nodes that read them.
    sort_nodes(half.graph)
    return half, ()


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
