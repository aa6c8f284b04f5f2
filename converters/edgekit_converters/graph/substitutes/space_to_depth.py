"""SpaceToDepth, which TF.js lacks: a transposition of the blocks."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import infer_shapes

LAST = (b"", b"NHWC")


def rewrite(graph: EditableGraph) -> bool:
    """Replace each SpaceToDepth of images of known size."""
    found = [
        node for node in graph if node.op == "SpaceToDepth" and node.attr["data_format"].s in LAST
    ]
    shapes = infer_shapes(graph.frozen()) if found else {}
    changed = False
    for node in found:
        image = shapes.get(node.input[0])
        if image and None not in image[1:]:
            _replace(graph, node, image[1:], node.attr["block_size"].i)
            changed = True
    return changed


def _replace(graph: EditableGraph, node: Any, image: Any, block: int) -> None:
    height, width, channels = image
    rows, columns = height // block, width // block

    def compute(x: Any) -> Any:
        # Rank 6 would be beyond some back ends: first rows, then columns.
        x = tf.reshape(x, [-1, block, columns, block * channels])
        x = tf.transpose(x, [0, 2, 1, 3])
        return tf.reshape(x, [-1, rows, columns, block * block * channels])

    replace_node(graph, node, compute, {node.input[0]: node.attr["T"].type})
