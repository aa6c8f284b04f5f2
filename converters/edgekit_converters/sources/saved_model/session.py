"""SavedModels of TensorFlow 1, and those that its successor does not load, read in a session.

A SavedModel that Keras 2 saved with an optimizer is one: TensorFlow 2 wants the optimizer's class.
A session restores variables by their names, and needs no class.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_from_session_graph,
)
from tensorflow.python.ops import gen_lookup_ops
from tensorflow.python.saved_model.loader_impl import parse_saved_model

from edgekit_converters.graph.library import give_new_names, keep_needed
from edgekit_converters.graph.tables import TABLE_OPS, replace_tables
from edgekit_converters.sources.saved_model.branches import take_branches
from edgekit_converters.sources.saved_model.signature import Signature, Signatures, clean, sizes
from edgekit_runtimes.errors import SourceError
from edgekit_runtimes.tensors import Arrays, TensorSpec

SERVING = "serve"
# Signatures of TensorFlow's own, which say how the variables are initialized and trained.
OWN_PREFIX = "__saved_model"

TEXT_NOTE = "left out, because no edge format has strings: the output {names}"


def is_of_version_1(path: Path) -> bool:
    """Return whether TensorFlow 1 wrote a SavedModel, which has a graph and no objects.

    Raises ValueError where it holds no graph.
    """
    graphs = parse_saved_model(str(path)).meta_graphs
    if not graphs:
        raise ValueError("it holds no graph")
    return not any(graph.HasField("object_graph_def") for graph in graphs)


def signatures(path: Path) -> Signatures:
    """Load a SavedModel into a session and return its signatures. TensorFlow raises anything.

    Raises SourceError where it is open which of its graphs is meant.
    """
    session = tf.compat.v1.Session(graph=tf.Graph())
    with session.graph.as_default():
        loaded = tf.compat.v1.saved_model.load(session, _tags(path), str(path))
    return {
        name: functools.partial(_signature, session, definition, path)
        for name, definition in loaded.signature_def.items()
        if not name.startswith(OWN_PREFIX)
    }


def _tags(path: Path) -> list[str]:
    """Return the tags of the graph for serving, or of the only one."""
    found = [list(graph.meta_info_def.tags) for graph in parse_saved_model(str(path)).meta_graphs]
    serving = [tags for tags in found if SERVING in tags]
    chosen = serving if len(found) > 1 else found
    if len(chosen) != 1:
        sets = "; ".join(" ".join(tags) or "no tag" for tags in found)
        raise SourceError(
            f"{path} has {len(found)} graphs ({sets}), and not one of them for serving. Export it "
            f"with one graph tagged '{SERVING}'."
        )
    return chosen[0]


def _signature(session: Any, definition: Any, path: Path) -> Signature:
    graph = session.graph
    feeds = {clean(key): graph.as_graph_element(x.name) for key, x in definition.inputs.items()}
    found = {
        clean(key): graph.as_graph_element(x.name) for key, x in sorted(definition.outputs.items())
    }
    results = {key: tensor for key, tensor in found.items() if tensor.dtype != tf.string}
    text = sorted(found.keys() - results.keys())
    if text and not results:
        raise SourceError(
            f"The outputs of {path} are strings ({', '.join(text)}), which no edge format has. "
            "Export the numbers that they are made from, or choose another with --signature."
        )
    frozen = _frozen(session, list(feeds.values()), list(results.values()), path)
    shapes = {clean(key): tf.TensorShape(x.tensor_shape) for key, x in definition.outputs.items()}

    def call(tensors: Mapping[str, Any]) -> dict[str, Any]:
        copy = tf.compat.v1.GraphDef()
        copy.CopyFrom(frozen)
        give_new_names(copy)
        present = {node.name for node in copy.node}
        fed = {feeds[key].name: x for key, x in tensors.items() if feeds[key].op.name in present}
        names = [tensor.name for tensor in results.values()]
        made = tf.graph_util.import_graph_def(copy, fed, return_elements=names, name="")
        for key, tensor in zip(results, made, strict=True):
            # A loop of TensorFlow 1 does not know what it makes; the signature does.
            tensor.set_shape(shapes[key])
        return dict(zip(results, made, strict=True))

    def run(arrays: Mapping[str, object]) -> Arrays:
        fed = {feeds[key]: _array(x) for key, x in arrays.items()}
        return dict(session.run(results, fed))

    return Signature(
        inputs=tuple(
            TensorSpec(key, sizes(x.shape, path, key), x.dtype.base_dtype.name)
            for key, x in sorted(feeds.items())
        ),
        outputs=tuple(results),
        call=call,
        run=run,
        notes=(TEXT_NOTE.format(names=", ".join(text)),) if text else (),
    )


def _frozen(session: Any, inputs: list[Any], results: list[Any], path: Path) -> Any:
    """Return the part of the session's graph that results need, with all values as constants.

    Raises SourceError where it has loops.
    """
    frozen = convert_variables_to_constants_from_session_graph(
        session, session.graph.as_graph_def(), sorted({tensor.op.name for tensor in results})
    )
    fed = {tensor.op.name for tensor in inputs}
    for node in frozen.node:
        if node.op == "PlaceholderWithDefault" and node.name not in fed:
            node.op = "Identity"
            node.attr["T"].type = node.attr["dtype"].type
            del node.attr["dtype"], node.attr["shape"]
    take_branches(frozen)
    keep_needed(frozen, [tensor.op.name for tensor in results])
    if loops := [node.name for node in frozen.node if node.op == "Enter"]:
        raise SourceError(
            f"{path} has a loop of TensorFlow 1 ({loops[0].rpartition('/')[0]}), which no "
            "format takes. Call tf.compat.v1.enable_control_flow_v2() before the model is built, "
            "and export it again."
        )
    tables = {
        node.input[0].partition(":")[0]: functools.partial(_export, session, node.input[0])
        for node in frozen.node
        if node.op in TABLE_OPS
    }
    replace_tables(frozen, tables)
    return frozen


def _export(session: Any, handle: str, keys: Any, values: Any) -> Any:
    """Return the keys and the values of a table, whose types are given."""
    with session.graph.as_default():
        tensor = session.graph.as_graph_element(handle if ":" in handle else f"{handle}:0")
        is_resource = tensor.dtype == tf.resource
        export = (
            gen_lookup_ops.lookup_table_export_v2
            if is_resource
            else gen_lookup_ops.lookup_table_export
        )
        return tuple(session.run(export(tensor, keys, values)))


def _array(value: object) -> object:
    return value.numpy() if isinstance(value, tf.Tensor) else value
