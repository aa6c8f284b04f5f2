"""TF.js computes in float32, int32 and bool: the other number types become one of these."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.python.framework import op_def_registry

from edgekit_converters.graph.edit import EditableGraph, output_tensor, set_constant
from edgekit_converters.graph.frozen import FrozenGraph, GraphTensor
from edgekit_converters.tfjs.wraps import range_of, wrap
from edgekit_runtimes.tensors import Array

# As parseDtypeParam of @tensorflow/tfjs-converter reads them.
_NARROWER = {
    types_pb2.DT_HALF: types_pb2.DT_FLOAT,
    types_pb2.DT_BFLOAT16: types_pb2.DT_FLOAT,
    types_pb2.DT_DOUBLE: types_pb2.DT_FLOAT,
    types_pb2.DT_INT8: types_pb2.DT_INT32,
    types_pb2.DT_INT16: types_pb2.DT_INT32,
    types_pb2.DT_INT64: types_pb2.DT_INT32,
    types_pb2.DT_UINT8: types_pb2.DT_INT32,
    types_pb2.DT_UINT16: types_pb2.DT_INT32,
    types_pb2.DT_UINT32: types_pb2.DT_INT32,
    types_pb2.DT_UINT64: types_pb2.DT_INT32,
    types_pb2.DT_COMPLEX128: types_pb2.DT_COMPLEX64,
}
_INT32 = np.iinfo(np.int32)


def narrow_dtypes(frozen: FrozenGraph, wraps: bool = True) -> FrozenGraph:
    """Return the graph in the number types that TF.js has, its inputs and outputs included.

    wraps: whether narrow integers still count around, as they do in TensorFlow and not in TF.js.
    Integers beyond int32 are clipped: they are ends of slices ("up to the last").
    """
    graph = EditableGraph(frozen)
    for node in graph:
        bounds = range_of(node) if wraps else None
        _narrow_node(node)
        _cast_fixed_outputs(graph, node)
        if bounds is not None:
            wrap(graph, node, bounds)
    for function in graph.library.function:
        for node in function.node_def:
            _narrow_node(node)
        for argument in (*function.signature.input_arg, *function.signature.output_arg):
            argument.type = _NARROWER.get(argument.type, argument.type)
    graph.forward()
    narrowed = graph.frozen()
    return replace(
        narrowed, inputs=_narrow_specs(narrowed.inputs), outputs=_narrow_specs(narrowed.outputs)
    )


def _narrow_node(node: Any) -> None:
    if node.op == "Const":
        dtype = node.attr["dtype"].type
        if dtype in _NARROWER:
            value = tf.make_ndarray(node.attr["value"].tensor)
            set_constant(node, _narrow_value(value, _NARROWER[dtype]))
        return
    for attribute in node.attr.values():
        if attribute.HasField("type"):
            attribute.type = _NARROWER.get(attribute.type, attribute.type)
        elif attribute.HasField("list"):
            kinds = [_NARROWER.get(kind, kind) for kind in attribute.list.type]
            attribute.list.type[:] = kinds


def _narrow_value(value: Array, dtype: int) -> Array:
    if dtype == types_pb2.DT_INT32:
        value = np.clip(value, _INT32.min, _INT32.max)
    return np.asarray(value.astype(tf.as_dtype(dtype).as_numpy_dtype))


def _cast_fixed_outputs(graph: EditableGraph, node: Any) -> None:
    """Cast the outputs whose type is not an attribute (Where: int64); TF.js makes int32 of them."""
    op_def = op_def_registry.get(node.op)
    for index, argument in enumerate(op_def.output_arg if op_def else ()):
        if argument.type in _NARROWER:
            tensor, wanted = output_tensor(node.name, index), _NARROWER[argument.type]
            cast = graph.add("Cast", f"{node.name}/narrow", [], SrcT=argument.type, DstT=wanted)
            graph.replace(tensor, cast)
            graph.set_inputs(graph.node(cast), [tensor])


def _narrow_specs(entries: Iterable[GraphTensor]) -> tuple[GraphTensor, ...]:
    def narrow(entry: GraphTensor) -> GraphTensor:
        dtype = tf.as_dtype(entry.spec.dtype).as_datatype_enum
        name = tf.as_dtype(_NARROWER.get(dtype, dtype)).name
        return replace(entry, spec=replace(entry.spec, dtype=name))

    return tuple(narrow(entry) for entry in entries)
