"""How an engine runs a model, in its own words: what a delegate took, what was fused or added.

A file says what is to be computed; the engine decides how, and differently on each machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# TFLite's name for the node that replaces all those that one delegate took together.
DELEGATE = "DELEGATE"


@dataclass(frozen=True)
class Execution:
    """What an engine runs when it runs a model.

    nodes: how many nodes the engine found in the file (its main graph).
    ops: what it runs instead, operator by operator; a run of nodes that a delegate took together
    is one "DELEGATE".
    outside: the places in the file of the nodes that no delegate took; None for an engine without
    delegates.
    kernels: dtypes of the constant kernels that it multiplies by, and how many there are of each;
    empty if it does not say.
    """

    nodes: int
    ops: Mapping[str, int]
    outside: tuple[int, ...] | None = None
    kernels: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "nodes": self.nodes,
            "ops": dict(self.ops),
            "outside": None if self.outside is None else list(self.outside),
            "kernels": dict(self.kernels),
        }

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Execution:
        """Return the execution whose JSON form is given."""
        outside = form["outside"]
        return cls(
            form["nodes"],
            form["ops"],
            None if outside is None else tuple(outside),
            form["kernels"],
        )


def delegated_execution(details: Sequence[Mapping[str, Any]]) -> Execution:
    """Return how a TFLite interpreter runs its main graph, once its tensors are allocated.

    details: its nodes with "index", "op_name", "inputs" and "outputs" (numbers of tensors): those
    of the file, and after them one "DELEGATE" for each run of nodes that a delegate took. The
    interpreter does not list which these are; but a DELEGATE makes its outputs out of its inputs,
    so they are the nodes on the way from the one to the other.
    """
    nodes = [node for node in details if node["op_name"] != DELEGATE]
    delegates = [node for node in details if node["op_name"] == DELEGATE]
    makers = {tensor: node for node in nodes for tensor in _tensors(node["outputs"])}
    taken: set[int] = set()
    for delegate in delegates:
        given = set(_tensors(delegate["inputs"]))
        wanted = _tensors(delegate["outputs"])
        while wanted:
            tensor = wanted.pop()
            node = None if tensor in given else makers.get(tensor)
            if node is not None and node["index"] not in taken:
                taken.add(node["index"])
                wanted += _tensors(node["inputs"])
    outside = [node for node in nodes if node["index"] not in taken]
    return Execution(
        nodes=len(nodes),
        ops=Counter(node["op_name"] for node in (*delegates, *outside)),
        outside=tuple(int(node["index"]) for node in outside),
    )


def _tensors(indices: Iterable[Any]) -> list[int]:
    return [int(index) for index in indices if index >= 0]
