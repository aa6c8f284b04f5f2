"""GatherV2 with batch dimensions, for which TF.js on wasm reads beyond its tensor.

`keras.ops.take_along_axis` makes it.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes, Shape
from edgekit_converters.tfjs.rewrites.sizes import form, product, sizes_of

OP = "GatherV2"


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Let each GatherV2 with batch dimensions read from all its rows put one after another."""
    changed = False
    for node in graph:
        if node.op != OP or not node.attr["batch_dims"].i or node.name not in shapes:
            continue
        axis, (values, indices, _) = graph.constant(node.input[2]), shapes[node.name]
        if axis is not None and values is not None and indices is not None:
            batch = node.attr["batch_dims"].i % len(indices)
            _replace(graph, node, (int(axis) % len(values), batch), (values, indices))
            changed = True
    return changed


def _replace(
    graph: EditableGraph, node: Any, axes: tuple[int, int], shapes: tuple[Shape, Shape]
) -> None:
    axis, batch = axes
    names = list(dict.fromkeys(node.input[:2]))
    places = [names.index(name) for name in node.input[:2]]
    dtypes = {node.input[0]: node.attr["Tparams"].type, node.input[1]: node.attr["Tindices"].type}

    def gather(*tensors: Any) -> Any:
        values, indices = (tensors[place] for place in places)
        sizes, wanted = sizes_of(values, shapes[0]), sizes_of(indices, shapes[1])
        length = sizes.pop(axis)
        rest = sizes[batch:]
        if axis != batch:
            order = [place for place in range(len(sizes) + 1) if place != axis]
            values = tf.transpose(values, [*order[:batch], axis, *order[batch:]])
        count = product(wanted[:batch])
        starts = tf.reshape(tf.range(count) * length, [-1, 1])
        flat = tf.reshape(indices, form([count, product(wanted[batch:])])) + starts
        rows = tf.reshape(values, form([product([count, length]), *rest]))
        found = tf.gather(rows, tf.reshape(flat, [-1]))
        found = tf.reshape(found, form([*wanted, *rest]))
        # The axes before `axis` that are none of the batch come before those of the indices.
        before, moved = axis - batch, len(wanted)
        order = [*range(batch), *range(moved, moved + before), *range(batch, moved)]
        order += range(moved + before, moved + len(rest))
        return tf.transpose(found, order) if before else found

    replace_node(graph, node, gather, dtypes)
