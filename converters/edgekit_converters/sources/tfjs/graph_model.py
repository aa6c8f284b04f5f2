"""A graph model: a TensorFlow graph whose constants are stored apart from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.framework import types_pb2
from tensorflow.python.framework import op_def_registry

from edgekit_converters.graph.edit import set_constant
from edgekit_converters.graph.frozen import FrozenGraph, GraphTensor
from edgekit_converters.graph.library import all_nodes
from edgekit_converters.sources.tfjs.unfuse import PRELU, unfuse
from edgekit_converters.tfjs.dtypes import narrow_dtypes
from edgekit_converters.tfjs.fuse import FUSED_OPS
from edgekit_runtimes.errors import SourceError, map_exceptions
from edgekit_runtimes.tensors import Arrays, TensorSpec

PLACEHOLDERS = frozenset({"Placeholder", "PlaceholderWithDefault"})


def read_graph_model(main: Path, model: Mapping[str, Any], weights: Arrays) -> FrozenGraph:
    """Return the graph of a model.json, in operators and number types that TensorFlow has.

    The shapes of its outputs may be unknown (None). Raises SourceError.
    """
    with map_exceptions(f"{main} is not a TF.js graph model", SourceError):
        graph_def = json_format.ParseDict(
            model["modelTopology"], tf.compat.v1.GraphDef(), ignore_unknown_fields=True
        )
        _take_weights(main, graph_def, weights)
        _check_operators(main, graph_def)
        inputs, outputs = _signature(model, graph_def)
        plain = unfuse(FrozenGraph(graph_def, inputs, outputs))
        _drop_unknown_attributes(plain.graph_def)
        return narrow_dtypes(plain, wraps=False)


def _take_weights(main: Path, graph_def: Any, weights: Arrays) -> None:
    for node in all_nodes(graph_def):
        if node.op == "Const":
            if node.name not in weights:
                raise SourceError(f"{main} holds no weights for '{node.name}'.")
            set_constant(node, weights[node.name])


def _check_operators(main: Path, graph_def: Any) -> None:
    known = {*FUSED_OPS.values(), PRELU}
    functions = {function.signature.name for function in graph_def.library.function}
    unknown = {
        node.op
        for node in all_nodes(graph_def)
        if node.op not in known | functions and op_def_registry.get(node.op) is None
    }
    if unknown:
        raise SourceError(
            f"{main} computes with what TensorFlow {tf.__version__} has no operator for: "
            f"{', '.join(sorted(unknown))}. Bring the model that it was made from."
        )


def _drop_unknown_attributes(graph_def: Any) -> None:
    """Drop what TF.js alone knows of an operator: TensorFlow would refuse it."""
    for node in all_nodes(graph_def):
        op_def = op_def_registry.get(node.op)
        known = {attribute.name for attribute in op_def.attr} if op_def else set()
        for name in [name for name in node.attr if op_def and name not in known]:
            del node.attr[name]


def _signature(
    model: Mapping[str, Any], graph_def: Any
) -> tuple[tuple[GraphTensor, ...], tuple[GraphTensor, ...]]:
    """Return the inputs and outputs: of the signature or, in old files, as TF.js finds them."""
    nodes = {node.name: node for node in graph_def.node}
    told = model.get("signature") or {}
    if told.get("inputs") and told.get("outputs"):
        inputs, outputs = (
            tuple(_entry(name, info, nodes) for name, info in told[kind].items())
            for kind in ("inputs", "outputs")
        )
        return inputs, outputs
    read = {name.lstrip("^").partition(":")[0] for node in nodes.values() for name in node.input}
    fed = [node for node in nodes.values() if node.op in PLACEHOLDERS]
    ends = [node for node in nodes.values() if node.name not in read and node.op != "Const"]
    inputs, outputs = (
        tuple(_entry(node.name, {"name": node.name}, nodes) for node in found)
        for found in (fed, [node for node in ends if node not in fed])
    )
    return inputs, outputs


def _entry(name: str, info: Mapping[str, Any], nodes: Mapping[str, Any]) -> GraphTensor:
    """Return an input or output. Its shape: the signature's, else that of its placeholder."""
    tensor = str(info["name"])
    node = nodes[tensor.partition(":")[0]]
    sizes = [int(axis["size"]) for axis in info.get("tensorShape", {}).get("dim", ())]
    dtype = types_pb2.DT_FLOAT
    if "dtype" in info:
        dtype = types_pb2.DataType.Value(info["dtype"])
    if node.op in PLACEHOLDERS:
        dtype = node.attr["dtype"].type
        declared = node.attr["shape"].shape
        if declared.dim and not declared.unknown_rank and not sizes:
            sizes = [axis.size for axis in declared.dim]
        node.op = "Placeholder"
    shape = tuple(None if size < 0 else size for size in sizes)
    full = tensor if ":" in tensor else f"{tensor}:0"
    return GraphTensor(TensorSpec(name, shape, tf.as_dtype(dtype).name), full)
