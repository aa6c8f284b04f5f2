"""EnsureShape checks a shape at run time and passes its input on; TF.js and ONNX have no such op.

`keras.ops.reshape` to a known shape makes it, and `tf.ensure_shape`.
"""

from __future__ import annotations

from edgekit_converters.graph.edit import EditableGraph


def rewrite(graph: EditableGraph) -> bool:
    """Let what reads an EnsureShape read its input."""
    found = [node for node in graph if node.op == "EnsureShape"]
    for node in found:
        graph.bypass(node, node.input[0])
    return bool(found)
