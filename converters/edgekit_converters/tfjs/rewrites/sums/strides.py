"""Convolutions with padding SAME and a stride wider than their kernel.

It skips numbers, and TF.js (4.22.0) pads it by less than nothing: in two axes on wasm, in three
everywhere. Padded first where there is something to pad, it is one of padding VALID.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes, Shape

OPS = {
    "Conv2D": tf.raw_ops.Conv2D,
    "Conv3D": tf.raw_ops.Conv3D,
    "DepthwiseConv2dNative": tf.raw_ops.DepthwiseConv2dNative,
}
# A kernel that takes one number of an axis is never padded there, whatever the size.
POINT = 1


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Replace each whose sizes are known where they decide what is padded."""
    changed = False
    for node in graph:
        if skips_numbers(node, shapes.get(node.name, ())):
            paddings = _paddings(node, *shapes[node.name])
            if paddings is not None:
                _replace(graph, node, paddings)
                changed = True
    return changed


def skips_numbers(node: Any, shapes: tuple[Shape, ...]) -> bool:
    """Return whether a node is such a convolution. shapes: of its image and its kernel."""
    if node.op not in OPS or node.attr["padding"].s != b"SAME" or None in shapes[:2] or not shapes:
        return False
    strides = list(node.attr["strides"].list.i)[1:-1]
    return any(
        stride > size for stride, size in zip(strides, _extents(node, shapes[1]), strict=True)
    )


def _extents(node: Any, kernel: Shape) -> list[int]:
    """Return over how many numbers of each axis the kernel reaches."""
    sizes = [size or 0 for size in kernel or ()][:-2]
    dilations = list(node.attr["dilations"].list.i)[1:-1] or [1] * len(sizes)
    return [(size - 1) * dilation + 1 for size, dilation in zip(sizes, dilations, strict=True)]


def _paddings(node: Any, image: Shape, kernel: Shape) -> list[list[int]] | None:
    """Return what SAME pads before and behind on each axis; None where a size has to be known."""
    paddings = []
    strides = list(node.attr["strides"].list.i)[1:-1]
    for size, stride, extent in zip(
        (image or ())[1:-1], strides, _extents(node, kernel), strict=True
    ):
        if extent == POINT:
            whole = 0
        elif size is None:
            return None
        else:
            whole = max(0, (-(-size // stride) - 1) * stride + extent - size)
        paddings.append([whole // 2, whole - whole // 2])
    return [[0, 0], *paddings, [0, 0]]


def _replace(graph: EditableGraph, node: Any, paddings: list[list[int]]) -> None:
    given = {key: list(node.attr[key].list.i) for key in ("strides", "dilations")}

    def convolve(x: Any, kernel: Any) -> Any:
        padded = tf.pad(x, paddings) if any(map(any, paddings)) else x
        return OPS[node.op](
            input=padded,
            filter=kernel,
            padding="VALID",
            **{key: sizes for key, sizes in given.items() if sizes},
        )

    replace_node(graph, node, convolve, dict.fromkeys(node.input, node.attr["T"].type))
