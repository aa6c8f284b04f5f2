"""What both kinds of source share: trace a callable once and freeze it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from edgekit_converters.frozen import CONTROL_FLOW_OPS, FrozenGraph, freeze
from edgekit_runtimes.errors import SourceError, map_exceptions
from edgekit_runtimes.tensors import TensorSpec

BATCH_ONE_NOTE = (
    "the model has a loop (a recurrent layer), which TFLite takes only with a fixed batch: "
    "the batch is 1 in every artifact"
)

Call = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def freeze_traced(
    call: Call, inputs: Sequence[TensorSpec], output_names: Sequence[str], path: Path
) -> tuple[FrozenGraph, tuple[str, ...]]:
    """Trace `call` for `inputs`, freeze it, and return the graph and notes for the user.

    A graph with loops is traced again with batch 1 (LSTM with a free batch does not reach TFLite).
    """
    with map_exceptions(f"{path} could not be turned into a graph", SourceError):
        graph = _freeze_once(call, tuple(inputs), output_names)
        if not _has_control_flow(graph.graph_def) or None not in [s.shape[0] for s in inputs]:
            return graph, ()
        fixed = tuple(TensorSpec(s.name, (s.shape[0] or 1, *s.shape[1:]), s.dtype) for s in inputs)
        return _freeze_once(call, fixed, output_names), (BATCH_ONE_NOTE,)


def _freeze_once(
    call: Call, inputs: tuple[TensorSpec, ...], output_names: Sequence[str]
) -> FrozenGraph:
    def traced(**tensors: Any) -> dict[str, Any]:
        return dict(call(tensors))

    signature = {spec.name: tf.TensorSpec(spec.shape, spec.dtype, spec.name) for spec in inputs}
    concrete = tf.function(traced).get_concrete_function(**signature)
    results = concrete.structured_outputs
    outputs = tuple(
        TensorSpec(name, tuple(results[name].shape), results[name].dtype.name)
        for name in output_names
    )
    return freeze(concrete, inputs, outputs)


def _has_control_flow(graph_def: Any) -> bool:
    bodies = [graph_def.node, *(function.node_def for function in graph_def.library.function)]
    return any(node.op in CONTROL_FLOW_OPS for body in bodies for node in body)
