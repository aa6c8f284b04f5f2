"""The shapes of tensors, as TensorFlow infers them."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_runtimes.errors import ConversionError, map_exceptions

Shape = tuple[int | None, ...] | None
Shapes = Mapping[str, Shape]
# Those of all inputs of a node, by its name: they hold while the nodes before it are replaced.
InputShapes = Mapping[str, tuple[Shape, ...]]


def infer_shapes(frozen: FrozenGraph) -> Shapes:
    """Return the shape of each tensor by name ("split:1"); None where not even the rank is known.

    Raises ConversionError where the graph is not valid.
    """
    graph_def = tf.compat.v1.GraphDef(
        library=frozen.graph_def.library, versions=frozen.graph_def.versions
    )
    for node in frozen.graph_def.node:
        copy = graph_def.node.add()
        if node.op == "Const" and tf.as_dtype(node.attr["dtype"].type).is_floating:
            # No shape depends on the values of weights, and copying them takes most of the time.
            copy.name, copy.op = node.name, "Placeholder"
            copy.attr["dtype"].type = node.attr["dtype"].type
            copy.attr["shape"].shape.CopyFrom(node.attr["value"].tensor.tensor_shape)
        else:
            copy.CopyFrom(node)
    imported = tf.Graph()
    with imported.as_default(), map_exceptions("The graph is not valid", ConversionError):
        tf.graph_util.import_graph_def(graph_def, name="")
    return {
        tensor.name.removesuffix(":0"): None if tensor.shape.rank is None else tuple(tensor.shape)
        for operation in imported.get_operations()
        for tensor in operation.outputs
    }
