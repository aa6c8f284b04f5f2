"""What kinds of sources share: trace a callable once and freeze it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from edgekit_converters.graph.frozen import CONTROL_FLOW_OPS, FrozenGraph, freeze
from edgekit_converters.graph.normalize import normalize
from edgekit_converters.memory import give_back_memory
from edgekit_runtimes.errors import EdgekitError, SourceError
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
    try:
        graph = _freeze_once(call, tuple(inputs), output_names)
        if not has_control_flow(graph.graph_def) or None not in [s.shape[0] for s in inputs]:
            return graph, ()
        fixed = tuple(TensorSpec(s.name, (s.shape[0] or 1, *s.shape[1:]), s.dtype) for s in inputs)
        return _freeze_once(call, fixed, output_names), (BATCH_ONE_NOTE,)
    except EdgekitError:
        raise
    except Exception as error:
        sizes = "; ".join(map(str, inputs))
        raise SourceError(
            f"{path} could not be turned into a graph for {sizes}: {_reason(error)}"
        ) from error
    finally:
        give_back_memory()


def _freeze_once(
    call: Call, inputs: tuple[TensorSpec, ...], output_names: Sequence[str]
) -> FrozenGraph:
    def traced(**tensors: Any) -> dict[str, Any]:
        return dict(call(tensors))

    signature = {spec.name: tf.TensorSpec(spec.shape, spec.dtype, spec.name) for spec in inputs}
    concrete = tf.function(traced).get_concrete_function(**signature)
    results = concrete.structured_outputs
    for name in output_names:
        if results[name].shape.rank is None:
            raise ValueError(f"the output '{name}' has no known number of axes")
    outputs = tuple(
        TensorSpec(name, tuple(results[name].shape), results[name].dtype.name)
        for name in output_names
    )
    return normalize(freeze(concrete, inputs, outputs))


def _reason(error: Exception) -> str:
    """Return the line that says why a model could not be traced.

    TensorFlow puts a traceback before it ("in user code:") and the node after it, Keras the layer's
    name on a separate line.
    """
    text = re.sub(r"\x1b\[\d*m", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [type(error).__name__]
    starts = [n for n, line in enumerate(lines) if re.match(r"\w+(Error|Exception): ", line)]
    told = lines[starts[-1] :] if starts else lines
    layer = re.search(r"when calling (\w+)\.call\(\)", told[0])
    reason = f"{layer[1]}: {told[1]}" if layer and len(told) > 1 else told[0]
    return reason.split(" for '{{node")[0]


def has_control_flow(graph_def: Any) -> bool:
    """Return whether a graph, or a function of it, has loops or branches."""
    bodies = [graph_def.node, *(function.node_def for function in graph_def.library.function)]
    return any(node.op in CONTROL_FLOW_OPS for body in bodies for node in body)
