"""Branches whose condition is a constant: in graphs of TensorFlow 1, "is the model being trained?".

Batch norms and dropouts of that time have one each, with a placeholder for the condition, which is
False unless it is fed. A branch is an If of two functions, or, before TensorFlow 2, a Switch before
each of its inputs and a Merge behind it, of which one side stays dead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

BRANCHES = frozenset({"If", "StatelessIf"})


def take_branches(graph_def: Any) -> None:
    """Leave those branches out of a graph that are never taken. Nodes keep their names."""
    nodes = {node.name: node for node in graph_def.node}
    for node in graph_def.node:
        if node.op in BRANCHES and (condition := _constant(node.input[0], nodes)) is not None:
            _call(node, "then_branch" if condition else "else_branch")
    switches = {
        node.name: condition
        for node in graph_def.node
        if node.op == "Switch" and (condition := _constant(node.input[1], nodes)) is not None
    }
    if switches:
        _take_sides(graph_def, switches)


def _constant(tensor: str, nodes: Mapping[str, Any]) -> bool | None:
    """Return the value of a condition that is a constant, perhaps passed on; else None."""
    node = nodes[tensor.partition(":")[0]]
    while node.op == "Identity":
        node = nodes[node.input[0].partition(":")[0]]
    return bool(tf.make_ndarray(node.attr["value"].tensor)) if node.op == "Const" else None


def _call(node: Any, branch: str) -> None:
    """Make a branch a call of one of its two functions."""
    node.op = "PartitionedCall"
    node.attr["f"].CopyFrom(node.attr[branch])
    for name in ("then_branch", "else_branch", "output_shapes", "Tcond"):
        node.attr.pop(name, None)
    del node.input[0]


def _take_sides(graph_def: Any, switches: Mapping[str, bool]) -> None:
    """Let each Switch and Merge of a decided branch pass on what is alive.

    switches: the condition by the name of the Switch, whose second output is that of True.
    """
    dead = _dead(graph_def, switches)
    for node in graph_def.node:
        if node.name in switches:
            del node.input[1]
        elif node.op == "Merge" and node.name not in dead:
            alive = [name for name in node.input if not _is_dead(name, dead)]
            if len(alive) < len(node.input) and len(alive) == 1:
                node.input[:] = alive
        if len(node.input) == 1 and node.op in ("Switch", "Merge"):
            node.op = "Identity"
            node.attr.pop("N", None)
        for place, name in enumerate(node.input):
            node.input[place] = name.removesuffix(":1") if name[:-2] in switches else name


def _dead(graph_def: Any, switches: Mapping[str, bool]) -> set[str]:
    """Return the nodes that never compute anything, and the outputs that are never made."""
    dead = {f"{name}:{0 if condition else 1}" for name, condition in switches.items()}
    grows = True
    while grows:
        grows = False
        for node in graph_def.node:
            if node.name not in dead and node.input:
                killed = [_is_dead(name, dead) for name in node.input]
                if all(killed) if node.op == "Merge" else any(killed):
                    dead.add(node.name)
                    grows = True
    return dead


def _is_dead(name: str, dead: set[str]) -> bool:
    """Return whether an input of a node, as the node names it, is dead."""
    node, _, output = name.removeprefix("^").partition(":")
    return node in dead or (not name.startswith("^") and f"{node}:{output or 0}" in dead)
