"""Layers that work channels first (NCHW), as Keras's data_format="channels_first" makes them.

TF.js computes most of them as if they worked channels last, and TFLite has none: each works
channels last, between two transpositions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from tensorflow.core.framework import types_pb2

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.shapes import infer_shapes

# Op -> which of its inputs are images, and which are their sizes.
IMAGES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "AvgPool": ((0,), ()),
    "AvgPool3D": ((0,), ()),
    "BiasAdd": ((0,), ()),
    "Conv2D": ((0,), ()),
    "Conv2DBackpropInput": ((2,), (0,)),
    "Conv3D": ((0,), ()),
    "Conv3DBackpropInputV2": ((2,), (0,)),
    "DepthToSpace": ((0,), ()),
    "DepthwiseConv2dNative": ((0,), ()),
    "FusedBatchNormV3": ((0,), ()),
    "MaxPool": ((0,), ()),
    "MaxPool3D": ((0,), ()),
    "SpaceToDepth": ((0,), ()),
}
# Lists with one number per axis. Paddings have two.
PER_AXIS = ("strides", "dilations", "ksize")
PADDINGS = "explicit_paddings"
LAYOUTS = {"NCHW": b"NHWC", "NCDHW": b"NDHWC"}
BIAS_ADD = "BiasAdd"
# Of an image one row high, as a Conv1D makes it: the axis of its height, first and last.
SQUEEZED_FIRST, SQUEEZED_LAST = 2, 1
IMAGE_RANK = 4
SERIES_AXES = (0, 2, 1)


def rewrite(graph: EditableGraph) -> bool:
    """Let each layer that works channels first work channels last."""
    found = [node for node in graph if node.op in IMAGES and _layout(node) in LAYOUTS]
    # A BiasAdd says NCHW of tensors of any rank.
    shapes = infer_shapes(graph.frozen()) if any(node.op == BIAS_ADD for node in found) else {}
    ranks = [
        len(shapes.get(node.input[0]) or ()) if node.op == BIAS_ADD else len(_layout(node))
        for node in found
    ]
    for node, rank in zip(found, ranks, strict=True):
        if rank:
            _turn(graph, node, rank)
    return any(ranks)


def _layout(node: Any) -> str:
    return node.attr["data_format"].s.decode() if "data_format" in node.attr else ""


def _turn(graph: EditableGraph, node: Any, rank: int) -> None:
    to_last = (0, *range(2, rank), 1)
    to_first = (0, rank - 1, *range(1, rank - 1))
    images, sizes = IMAGES[node.op]
    inputs = list(node.input)
    for place in images:
        inputs[place] = _transposed(graph, node, inputs[place], to_last)
    for place in sizes:
        inputs[place] = _taken(graph, node, inputs[place], to_last)
    for name in (name for name in PER_AXIS if name in node.attr):
        numbers = list(node.attr[name].list.i)
        if numbers:
            node.attr[name].list.i[:] = [numbers[axis] for axis in to_last]
    pads = list(node.attr[PADDINGS].list.i) if PADDINGS in node.attr else []
    if pads:
        pairs = [pads[2 * axis : 2 * axis + 2] for axis in to_last]
        node.attr[PADDINGS].list.i[:] = [pad for pair in pairs for pad in pair]
    node.attr["data_format"].s = LAYOUTS[_layout(node)]
    graph.set_inputs(node, inputs)
    user = graph.only_user(node.name)
    if user is not None and user.op == "Squeeze" and _squeezed(user) == [SQUEEZED_FIRST]:
        # Trap: TFLite's converter (2.21) makes one transposition of two with a Squeeze between,
        # with axes of the wrong rank.
        user.attr["squeeze_dims"].list.i[:] = [SQUEEZED_LAST]
        _put_behind(graph, user, node, SERIES_AXES)
    else:
        _put_behind(graph, node, node, to_first)


def _squeezed(node: Any) -> list[int]:
    return [axis % IMAGE_RANK for axis in node.attr["squeeze_dims"].list.i]


def _put_behind(graph: EditableGraph, last: Any, node: Any, axes: tuple[int, ...]) -> None:
    """Let what read `last` read its transposition. node: what the work is for."""
    back = _transposed(graph, node, last.name, axes)
    order = graph.node(back).input[1]
    graph.replace(last.name, back)
    graph.set_inputs(graph.node(back), [last.name, order])


def _transposed(graph: EditableGraph, node: Any, tensor: str, axes: tuple[int, ...]) -> str:
    order = graph.add_constant(f"{node.name}/axes", np.array(axes, np.int32))
    dtype = node.attr["T"].type
    types = {"T": dtype, "Tperm": types_pb2.DT_INT32}
    return graph.add("Transpose", f"{node.name}/transpose", [tensor, order], **types)


def _taken(graph: EditableGraph, node: Any, sizes: str, axes: tuple[int, ...]) -> str:
    value = graph.constant(sizes)
    if value is not None:
        return graph.add_constant(f"{node.name}/sizes", value[list(axes)])
    order = graph.add_constant(f"{node.name}/order", np.array(axes, np.int32))
    axis = graph.add_constant(f"{node.name}/axis", np.array(0, np.int32))
    int32 = types_pb2.DT_INT32
    dtype = node.attr["Tshape"].type if "Tshape" in node.attr else int32
    types = {"Tparams": dtype, "Tindices": int32, "Taxis": int32}
    return graph.add("GatherV2", f"{node.name}/sizes", [sizes, order, axis], **types)
