"""FakeQuant, by which quantization-aware training rounds: TF.js passes its input on as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes
from edgekit_runtimes.tensors import Array

ARGS = "FakeQuantWithMinMaxArgs"
VARS = ("FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel")


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Let each FakeQuant whose range is a constant clip and round."""
    changed = False
    for node in graph:
        low: Array | None
        high: Array | None
        if node.op == ARGS:
            low, high = (np.asarray(node.attr[name].f, np.float32) for name in ("min", "max"))
        elif node.op in VARS:
            low, high = (graph.constant(name) for name in node.input[1:3])
        else:
            continue
        if low is not None and high is not None:
            _replace(graph, node, low, high)
            changed = True
    return changed


def _replace(graph: EditableGraph, node: Any, low: Array, high: Array) -> None:
    least = 1 if node.attr["narrow_range"].b else 0
    most = 2 ** node.attr["num_bits"].i - 1
    scale = (high - low) / np.float32(most - least)
    # The range is moved so that zero is one of the steps, as TensorFlow does.
    zero = np.clip(np.floor(least - low / scale + np.float32(0.5)), least, most)
    start, end = (least - zero) * scale, (most - zero) * scale

    def quantize(x: Any) -> Any:
        steps = tf.floor((tf.minimum(tf.maximum(x, start), end) - start) / scale + 0.5)
        return steps * scale + start

    replace_node(graph, node, quantize, {node.input[0]: tf.float32.as_datatype_enum})
