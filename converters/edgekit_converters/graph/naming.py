"""Which layers of a model the operators of its graph come from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from edgekit_converters.graph.frozen import CALL_OPS
from edgekit_converters.graph.library import all_nodes

# A reason that lists more layers is not read to its end.
MOST_LAYERS = 3


def layer_of(node: str) -> str:
    """Return the layer that made a node: "functional_1/lstm_1/add" is of "lstm_1"; "" if of none.

    Keras puts the model's name before it and the operator's own behind; a model in a model stays.
    """
    return "/".join(part for part in node.split("/")[1:-1] if part not in CALL_OPS)


def with_layers(graph_def: Any, ops: Iterable[str]) -> str:
    """Return operators with the layers that they come from: "Erfinv (erfinv_1), Lu (lu, lu_1)"."""
    return ", ".join(f"{op}{_layers(graph_def, op)}" for op in sorted(set(ops)))


def _layers(graph_def: Any, op: str) -> str:
    nodes = [node.name for node in all_nodes(graph_def) if node.op.lower() == op.lower()]
    layers = list(dict.fromkeys(filter(None, map(layer_of, nodes))))
    more = f" and {len(layers) - MOST_LAYERS} more" if len(layers) > MOST_LAYERS else ""
    return f" ({', '.join(layers[:MOST_LAYERS])}{more})" if layers else ""
