"""Erfc, which Keras makes of an exact gelu: erfc(x) = 1 - erf(x). TF.js and tf2onnx lack it."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node


def rewrite(graph: EditableGraph) -> bool:
    """Replace each Erfc."""
    found = [node for node in graph if node.op == "Erfc"]
    for node in found:
        replace_node(graph, node, _erfc, {node.input[0]: node.attr["T"].type})
    return bool(found)


def _erfc(x: Any) -> Any:
    return tf.ones((), x.dtype) - tf.math.erf(x)
