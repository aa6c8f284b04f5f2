"""ResizeNearestNeighbor of integers, of which TF.js makes float32 on wasm."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes

OP = "ResizeNearestNeighbor"
FLOAT = tf.float32.as_datatype_enum


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Let each resize float32, and make integers of it afterwards."""
    found = [node for node in graph if node.op == OP and node.attr["T"].type != FLOAT]
    for node in found:
        flags = {key: node.attr[key].b for key in ("align_corners", "half_pixel_centers")}

        def resize(images: Any, size: Any, flags: dict[str, bool] = flags) -> Any:
            resized = tf.raw_ops.ResizeNearestNeighbor(
                images=tf.cast(images, tf.float32), size=size, **flags
            )
            return tf.cast(resized, images.dtype)

        dtypes = {node.input[0]: node.attr["T"].type, node.input[1]: tf.int32.as_datatype_enum}
        replace_node(graph, node, resize, dtypes)
    return bool(found)
