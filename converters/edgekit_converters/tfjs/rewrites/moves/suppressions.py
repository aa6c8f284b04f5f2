"""NonMaxSuppressionV5 with a sigma: TF.js drops boxes above the threshold, TensorFlow none."""

from __future__ import annotations

import numpy as np

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.shapes import InputShapes

OP = "NonMaxSuppressionV5"
# No overlap is larger.
WHOLE = np.asarray(1.0, np.float32)


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Give each soft suppression a threshold that no overlap reaches."""
    changed = False
    for node in graph:
        sigma = graph.constant(node.input[5]) if node.op == OP else None
        if sigma is not None and sigma > 0 and graph.constant(node.input[3]) != WHOLE:
            inputs = list(node.input)
            inputs[3] = graph.add_constant(f"{node.name}/whole", WHOLE)
            graph.set_inputs(node, inputs)
            changed = True
    return changed
