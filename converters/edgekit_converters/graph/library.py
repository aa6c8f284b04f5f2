"""The functions that a graph brings along: its loops, branches and calls."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

_numbers = itertools.count()


def all_nodes(graph_def: Any) -> Iterator[Any]:
    """Iterate over the nodes of a graph and of its functions."""
    yield from graph_def.node
    for function in graph_def.library.function:
        yield from function.node_def


def calls(nodes: Iterable[Any]) -> Iterator[Any]:
    """Iterate over the attributes of nodes that name a function."""
    for node in nodes:
        for attribute in node.attr.values():
            if attribute.HasField("func"):
                yield attribute.func
            elif attribute.HasField("list"):
                yield from attribute.list.func


def keep_needed(graph_def: Any, names: Iterable[str]) -> None:
    """Remove the nodes that none of the named ones needs, not even to come after them."""
    nodes = {node.name: node for node in graph_def.node}
    pending, needed = list(names), set[str]()
    while pending:
        name = pending.pop().removeprefix("^").partition(":")[0]
        if name not in needed:
            needed.add(name)
            pending.extend(nodes[name].input)
    for place in reversed(range(len(graph_def.node))):
        if graph_def.node[place].name not in needed:
            del graph_def.node[place]


def give_new_names(graph_def: Any) -> None:
    """Rename the functions of a graph as no other graph of this process names them.

    Trap: TensorFlow keeps functions by name for the whole process; of a second one of a name it
    takes the first, or refuses it.
    """
    number = next(_numbers)
    for call in calls(all_nodes(graph_def)):
        call.name = f"{call.name}_{number}"
    for function in graph_def.library.function:
        function.signature.name = f"{function.signature.name}_{number}"
