"""The proof of an import: TensorFlow answers as onnxruntime does, on random samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import tensorflow as tf

from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.sources.onnx.build import Built
from edgekit_converters.sources.onnx.simplify import plain_session
from edgekit_converters.sources.onnx.value import Order, inverse
from edgekit_runtimes.errors import SourceError
from edgekit_runtimes.tensors import Array, Arrays, TensorSpec

# Two float32 computations of one graph differ by 1e-6 to 1e-5 of the largest number, by more where
# numbers cancel; what is wired wrongly differs by a tenth and more.
LARGEST_DIFFERENCE = 1e-3
HALF_DIFFERENCE = 2e-2
# Below it, outputs are compared by their difference itself: their share says nothing.
SMALL_OUTPUT = 1e-6
SEED = 0


def samples_of(specs: Sequence[TensorSpec], batches: Sequence[int | None]) -> list[Arrays]:
    """Return a random sample for each batch; None keeps the sizes as they are."""
    generator = np.random.default_rng(SEED)
    return [{spec.name: _sample(spec, batch, generator) for spec in specs} for batch in batches]


def _sample(spec: TensorSpec, batch: int | None, generator: np.random.Generator) -> Array:
    sizes = [batch or 1 if size is None else size for size in spec.shape]
    dtype = np.dtype(spec.dtype)
    if dtype.kind == "f":
        return generator.uniform(-1, 1, sizes).astype(dtype)
    # Small enough for any table or class that integers may name.
    return generator.integers(0, 2, sizes).astype(dtype)


def in_order(arrays: Mapping[str, Array], orders: Mapping[str, Order]) -> Arrays:
    """Return arrays of the ONNX graph as they lie in ours."""
    return {
        name: np.ascontiguousarray(array.transpose(orders[name])) if name in orders else array
        for name, array in arrays.items()
    }


def prove(
    graph: FrozenGraph, built: Built, model: Any, session: Any, samples: Sequence[Arrays]
) -> None:
    """Raise SourceError unless a graph answers as the session does on samples.

    graph: what `built.graph` was made into. model: what it was built from.
    """
    names = [entry.name for entry in session.get_outputs()]
    taken = {entry.name for entry in session.get_inputs()}
    fetched = {entry.spec.name: entry.tensor for entry in graph.outputs}
    feeds = {entry.spec.name: entry.tensor for entry in graph.inputs}
    with _Running(graph) as run:
        for sample in samples:
            given = {name: array for name, array in sample.items() if name in taken}
            expected = dict(zip(names, session.run(names, given), strict=True))
            ours = in_order(sample, built.orders)
            found = run(fetched, {feeds[name]: array for name, array in ours.items()})
            for name in names:
                wanted = in_order({name: expected[name]}, built.orders)[name]
                if fault := differs(found[name], wanted):
                    first = _first(built, model, sample)
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


def differs(found: Array, wanted: Array) -> str:
    """Return how an array differs from what it should be; "" where it does not."""
    if found.shape != wanted.shape:
        return f"has the shape {list(found.shape)} instead of {list(wanted.shape)}"
    if wanted.dtype.kind not in "f":
        wrong = int(np.count_nonzero(found != wanted))
        return f"has {wrong} other numbers of {wanted.size}" if wrong else ""
    is_real = np.isfinite(wanted)
    got, right = found[is_real].astype(np.float64), wanted[is_real].astype(np.float64)
    if not right.size:
        return ""
    share = np.abs(got - right).max() / max(np.abs(right).max(), SMALL_OUTPUT)
    limit = HALF_DIFFERENCE if wanted.dtype.itemsize == 2 else LARGEST_DIFFERENCE
    return "" if share <= limit else f"differs by {share:.2g} of the largest number"


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
