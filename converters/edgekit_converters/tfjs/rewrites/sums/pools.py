"""MaxPool with explicit paddings, which TF.js does not read, and MaxPool3D.

On wasm MaxPool3D starts from the smallest positive number: of negative ones it makes that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes, Shape
from edgekit_converters.tfjs.rewrites.sizes import form, product, sizes_of


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Let each pad first, and pool two axes at a time."""
    changed = False
    for node in graph:
        if node.op == "MaxPool" and node.attr["padding"].s == b"EXPLICIT":
            _pad_first(graph, node)
        elif node.op == "MaxPool3D" and shapes.get(node.name, (None,))[0] is not None:
            _pool_twice(graph, node, shapes[node.name][0])
        else:
            continue
        changed = True
    return changed


def _pad_first(graph: EditableGraph, node: Any) -> None:
    ends = np.reshape(node.attr["explicit_paddings"].list.i, (-1, 2)).astype(np.int32)
    sizes = {key: list(node.attr[key].list.i) for key in ("ksize", "strides")}

    def pool(x: Any) -> Any:
        padded = tf.pad(x, ends, constant_values=x.dtype.min)
        return tf.raw_ops.MaxPool(input=padded, padding="VALID", **sizes)

    replace_node(graph, node, pool, {node.input[0]: node.attr["T"].type})


def _pool_twice(graph: EditableGraph, node: Any, shape: Shape) -> None:
    size, stride = (list(node.attr[key].list.i)[1:4] for key in ("ksize", "strides"))
    padding = node.attr["padding"].s.decode()

    def pool_two(x: Any, size: list[int], stride: list[int]) -> Any:
        return tf.nn.max_pool2d(x, size, stride, padding)

    def pool(x: Any) -> Any:
        batch, depth, rows, columns, channels = sizes_of(x, shape)
        images = tf.reshape(x, form([product([batch, depth]), rows, columns, channels]))
        images = pool_two(images, size[1:], stride[1:])
        shrunk = sizes_of(images, images.shape)
        slices = tf.reshape(images, form([batch, depth, product(shrunk[1:3]), channels]))
        pooled = pool_two(slices, [size[0], 1], [stride[0], 1])
        layers = sizes_of(pooled, pooled.shape)[1]
        return tf.reshape(pooled, form([batch, layers, *shrunk[1:3], channels]))

    replace_node(graph, node, pool, {node.input[0]: node.attr["T"].type})
