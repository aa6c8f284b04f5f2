"""Tables of GatherV2 whose rows are of unlike sizes: integers, and a scale for each row."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.integers import MIN_TABLE_ELEMENTS, integer_table
from edgekit_runtimes.tensors import Array

# TF.js has one scale for a whole constant. Scales of rows cost a GatherV2 and a Mul in every run,
# and are written where rows are unlike.
SCALES = "scales_of_rows"


def scale_rows(frozen: FrozenGraph) -> FrozenGraph:
    """Return the graph with its tables as integers in float32, where that pays.

    Constants of scales have SCALES in their names, and are to be stored as they are.
    """
    graph = EditableGraph(frozen)
    changed = False
    for node in graph:
        if node.op == "GatherV2" and not node.attr["batch_dims"].i:
            table, axis = (graph.constant(node.input[place]) for place in (0, 2))
            users = graph.users(node.input[0])
            if table is not None and axis is not None and users == [node]:
                changed |= _scale(graph, node, table, int(axis) % max(table.ndim, 1))
    if not changed:
        return frozen
    graph.sweep()
    return graph.frozen()


def _scale(graph: EditableGraph, node: Any, table: Array, axis: int) -> bool:
    if table.dtype != np.float32 or table.size < MIN_TABLE_ELEMENTS or not np.isfinite(table).all():
        return False
    stored = integer_table(table, axis)
    if not stored.has_unlike_rows:
        return False
    scales = stored.scales.astype(np.float32)
    kinds = {key: node.attr[key].type for key in ("Tparams", "Tindices", "Taxis")}
    parts = []
    for name, values in (("integers", stored.integers), (SCALES, scales)):
        constant = graph.add_constant(f"{node.name}/{name}", values.astype(np.float32))
        inputs = [constant, *node.input[1:3]]
        parts.append(graph.add("GatherV2", f"{node.name}/rows_of_{name}", inputs, **kinds))
    rows = graph.add("Mul", f"{node.name}/rows", parts, T=kinds["Tparams"])
    graph.replace(node.name, rows)
    return True
