"""The shapes of tensors, as TensorFlow infers them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.graph.frozen import CONTROL_FLOW_OPS, FrozenGraph
from edgekit_runtimes.errors import ConversionError, map_exceptions
from edgekit_runtimes.tensors import Array

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


def value_of_shapes(frozen: FrozenGraph, tensor: str, shapes: Shapes) -> Array | None:
    """Return a tensor's value where it depends on constants and sizes other than the batch's alone.

    shapes: as `infer_shapes` returns them.
    """
    nodes = {node.name: node for node in frozen.graph_def.node}
    pending, needed, asked = [tensor], dict[str, Any](), dict[str, list[int | None]]()
    while pending:
        name = pending.pop().partition(":")[0]
        node = nodes[name]
        if name in needed or name in asked:
            continue
        if node.op == "Shape":
            asked[name] = list(shapes.get(node.input[0].removesuffix(":0")) or ())
            if not asked[name] or None in asked[name][1:]:
                return None
            continue
        if node.op == "Placeholder" or node.op in CONTROL_FLOW_OPS:
            return None
        needed[name] = node
        pending.extend(source for source in node.input if not source.startswith("^"))
    one, two = (_evaluated(frozen, needed, asked, tensor, batch) for batch in (1, 2))
    return one if np.array_equal(one, two) else None


def _evaluated(frozen: FrozenGraph, needed: Any, asked: Any, tensor: str, batch: int) -> Array:
    graph_def = tf.compat.v1.GraphDef(library=frozen.graph_def.library)
    for node in needed.values():
        graph_def.node.add().CopyFrom(node)
    for name, sizes in asked.items():
        shape = np.array([batch if size is None else size for size in sizes], np.int32)
        constant = graph_def.node.add(name=name, op="Const")
        constant.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(shape))
        constant.attr["dtype"].type = tf.int32.as_datatype_enum
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(graph_def, name="")
        wanted = tensor if ":" in tensor else f"{tensor}:0"
        with tf.compat.v1.Session(graph=graph) as session:
            return np.asarray(session.run(wanted))
