"""Products of stacks of matrices that stretch one another: TF.js pairs them off wrongly.

It takes matrix number n modulo the length of the stack, which is right where the last axes of both
stacks are the same and the shorter one has no others, or only ones.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes, Shape
from edgekit_converters.tfjs.rewrites.sizes import sizes_of

OP = "BatchMatMulV2"


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Let each such product stretch its stacks first. Those of unknown rank stay as they are."""
    changed = False
    for node in graph:
        if node.op == OP and None not in shapes.get(node.name, (None,)):
            first, second = shapes[node.name]
            if not _is_read_rightly(first, second):
                _replace(graph, node, (first, second))
                changed = True
    return changed


def _is_read_rightly(first: Shape, second: Shape) -> bool:
    stacks = [list(shape or ())[:-2] for shape in (first, second)]
    if stacks[0] == stacks[1]:
        return True
    for stack in stacks:
        while stack and stack[0] == 1:
            del stack[0]
    short, long = sorted(stacks, key=len)
    return long[len(long) - len(short) :] == short


def _replace(graph: EditableGraph, node: Any, shapes: tuple[Shape, Shape]) -> None:
    names = list(dict.fromkeys(node.input))
    places = [names.index(name) for name in node.input]
    turned = {key: node.attr[key].b for key in ("adj_x", "adj_y")}

    def multiply(*tensors: Any) -> Any:
        pair = [tensors[place] for place in places]
        sizes = [sizes_of(x, shape) for x, shape in zip(pair, shapes, strict=True)]
        common = [_larger(*axis) for axis in zip_longest(*(s[-3::-1] for s in sizes), fillvalue=1)]
        stretched = [
            tf.broadcast_to(x, [*common[::-1], *size[-2:]])
            for x, size in zip(pair, sizes, strict=True)
        ]
        return tf.raw_ops.BatchMatMulV2(x=stretched[0], y=stretched[1], **turned)

    replace_node(graph, node, multiply, dict.fromkeys(names, node.attr["T"].type))


def _larger(first: Any, second: Any) -> Any:
    if isinstance(first, int) and isinstance(second, int):
        return max(first, second)
    if first == 1 or second == 1:
        return second if first == 1 else first
    return tf.maximum(first, second)
