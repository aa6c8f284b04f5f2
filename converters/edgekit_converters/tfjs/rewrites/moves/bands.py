"""MatrixBandPart, of which TF.js reads both ends of the band from the same input."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes
from edgekit_runtimes.errors import ConversionError

OP = "MatrixBandPart"


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Let each MatrixBandPart be a choice between its input and zero.

    `keras.ops.tril` and `triu` make it. Raises ConversionError where the sizes of the matrix or its
    band are not known.
    """
    found = [node for node in graph if node.op == OP and node.name in shapes]
    for node in found:
        sizes = (shapes[node.name][0] or ())[-2:]
        ends = [graph.constant(name) for name in node.input[1:3]]
        if len(sizes) != 2 or None in sizes or any(end is None for end in ends):
            raise ConversionError(
                f"'{node.name}' ({OP}) takes a band of a matrix whose sizes are not known, which "
                "TF.js computes wrongly. Fix the sizes with --input-shape, or write the other "
                "formats: --to tflite,onnx"
            )
        _mask(graph, node, sizes, *(int(end) for end in ends if end is not None))
    return bool(found)


def _mask(graph: EditableGraph, node: Any, sizes: Any, lower: int, upper: int) -> None:
    rows, columns = np.indices(sizes)
    # A negative number keeps the whole triangle.
    kept = (lower < 0) | (rows - columns <= lower)
    kept &= (upper < 0) | (columns - rows <= upper)

    def choose(x: Any) -> Any:
        return tf.where(kept, x, tf.zeros((), x.dtype))

    replace_node(graph, node, choose, {node.input[0]: node.attr["T"].type})
