"""The proof of an import: TensorFlow answers as onnxruntime does, on random samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import tensorflow as tf

from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.sources.onnx.build import Built
from edgekit_converters.sources.onnx.reference import Reference, differs
from edgekit_converters.sources.onnx.simplify import plain_session
from edgekit_converters.sources.onnx.value import Order, inverse
from edgekit_runtimes.errors import SourceError
from edgekit_runtimes.tensors import Array, Arrays


def in_order(arrays: Mapping[str, Array], orders: Mapping[str, Order]) -> Arrays:
    """Return arrays of the ONNX graph as they lie in ours."""
    return {
        name: np.asarray(array.transpose(orders[name]), order="C") if name in orders else array
        for name, array in arrays.items()
    }


def prove(graph: FrozenGraph, built: Built, reference: Reference) -> None:
    """Raise SourceError unless a graph answers as the original does.

    graph: what `built.graph`, which was made of the reference, was made into.
    """
    fetched = {entry.spec.name: entry.tensor for entry in graph.outputs}
    feeds = {entry.spec.name: entry.tensor for entry in graph.inputs}
    with _Running(graph) as run:
        for sample, answers in zip(reference.samples, reference.answers, strict=True):
            ours = in_order(sample, built.orders)
            found = run(fetched, {feeds[name]: array for name, array in ours.items()})
            for name, wanted in in_order(answers, built.orders).items():
                if fault := differs(found[name], wanted):
                    first = _first(built, reference.simple, sample)
                    raise SourceError(
                        f"The graph that edgekit makes of the model {fault} at output '{name}'"
                        f"{first}. Nothing is written; please report it with the model."
                    )


class _Running:
    """A session in which a graph is computed as it is."""

    def __init__(self, graph: FrozenGraph) -> None:
        self._graph = graph

    def __enter__(self) -> Any:
        config = tf.compat.v1.ConfigProto()
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        config.graph_options.optimizer_options.opt_level = tf.compat.v1.OptimizerOptions.L0
        with tf.Graph().as_default() as graph:
            tf.graph_util.import_graph_def(self._graph.graph_def, name="")
        self._session = tf.compat.v1.Session(graph=graph, config=config)
        return self._session.run

    def __exit__(self, *_: object) -> None:
        self._session.close()


def _first(built: Built, model: Any, sample: Arrays) -> str:
    """Return the words that name the first tensor that differs, "" where none does."""
    places = [(name, node) for node in model.graph.node for name in node.output]
    names = [name for name, _ in places if name in built.tensors]
    try:
        theirs = dict(zip(names, _all(model, names, sample), strict=True))
        fed = in_order(sample, built.orders)
        feeds = {entry.tensor: fed[entry.spec.name] for entry in built.graph.inputs}
        wanted = {name: built.tensors[name] for name in names}
        with _Running(built.graph) as run:
            for name, node in places:
                if name in wanted and (ours := _computed(run, wanted[name][0], feeds)) is not None:
                    natural = ours.transpose(inverse(wanted[name][1]))
                    if differs(natural, theirs[name]):
                        maker = node.name or node.op_type
                        return f"; the first tensor that differs is '{name}' ({maker})"
    except Exception:
        # It would only have said more about a failure that is told anyway.
        return ""
    return ""


def _computed(run: Any, tensor: str, feeds: Mapping[str, Array]) -> Array | None:
    try:
        found: Array = run(tensor, feeds)
    except (ValueError, KeyError):
        # Not in the graph: nothing reads it.
        return None
    return found


def _all(model: Any, names: Sequence[str], sample: Arrays) -> Iterator[Array]:
    outputs = list(model.graph.output)
    del model.graph.output[:]
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names)
    try:
        session = plain_session(model)
    finally:
        del model.graph.output[:]
        model.graph.output.extend(outputs)
    taken = {entry.name for entry in session.get_inputs()}
    results: Iterator[Array] = session.run(
        list(names), {k: v for k, v in sample.items() if k in taken}
    )
    return results
