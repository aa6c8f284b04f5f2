"""ShapeN, of which TF.js makes float32."""

from __future__ import annotations

from edgekit_converters.graph.edit import EditableGraph, output_tensor
from edgekit_converters.graph.shapes import InputShapes

OP = "ShapeN"


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Let each ShapeN be as many Shapes."""
    found = [node for node in graph if node.op == OP]
    for node in found:
        types = {key: node.attr[key].type for key in ("T", "out_type")}
        for index, name in enumerate(node.input):
            shape = graph.add("Shape", f"{node.name}/Shape", [name], **types)
            graph.replace(output_tensor(node.name, index), shape)
    return bool(found)
