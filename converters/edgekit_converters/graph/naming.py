"""Which layers of a model the operators of its graph come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from edgekit_converters.graph.frozen import CALL_OPS

# A reason that lists more layers is not read to its end.
MOST_LAYERS = 3
# The inputs and outputs of a function that TensorFlow has inlined.
INLINED = "Func/"


def layer_of(node: str) -> str:
    """Return the layer that made a node: "functional_1/lstm_1/add" is of "lstm_1"; "" if of none.

    Keras puts the model's name before it and the operator's own behind; a model in a model stays.
    """
    if node.startswith(INLINED):
        return ""
    return "/".join(part for part in node.split("/")[1:-1] if part not in CALL_OPS)


def with_layers(graph_def: Any, ops: Iterable[str]) -> str:
    """Return operators and where they stand: "Erfinv (erfinv_1), HSVToRGB (after dense_1)".

    That is the layers that they come from, or, of operators of no layer, as functions of keras.ops
    leave them, the layers or inputs that they compute from.
    """
    return ", ".join(f"{op}{_places(graph_def, op)}" for op in sorted(set(ops)))


def _places(graph_def: Any, op: str) -> str:
    found = dict.fromkeys(_places_of(graph_def, op))
    places = list(found)
    more = f" and {len(places) - MOST_LAYERS} more" if len(places) > MOST_LAYERS else ""
    return f" ({', '.join(places[:MOST_LAYERS])}{more})" if places else ""


def _places_of(graph_def: Any, op: str) -> Iterator[str]:
    bodies = (graph_def.node, *(function.node_def for function in graph_def.library.function))
    for body in bodies:
        nodes = {node.name: node for node in body}
        for node in body:
            if node.op.lower() == op.lower():
                before = None if layer_of(node.name) else _source_of(node, nodes)
                yield layer_of(node.name) or (f"after {before}" if before else f"'{node.name}'")


def _source_of(node: Any, nodes: Mapping[str, Any]) -> str:
    """Return the nearest layer or input that a node computes from; "" if of constants alone."""
    pending, seen = [node], {node.name}
    for one in pending:
        if one is not node and (layer_of(one.name) or one.op == "Placeholder"):
            return layer_of(one.name) or str(one.name)
        for source in one.input:
            name = source.removeprefix("^").partition(":")[0]
            if name in nodes and name not in seen and nodes[name].op != "Const":
                seen.add(name)
                pending.append(nodes[name])
    return ""
