"""tf2onnx's optimizers, run in turns until none finds anything more to do."""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from typing import Any


def optimize(graph: Any, optimizers: Mapping[str, Any], catch_errors: bool) -> Any:
    """Return the graph optimized.

    optimizers: their classes by name, in their order. catch_errors: lets each work on a copy, and
    goes on without one that fails.

    Written here because tf2onnx's own loop writes every weight into its node again after each of
    them, and protobuf frees nothing of a node before all of it: 23 copies of a model in memory.
    """
    go_on = True
    iteration = 0
    while go_on:
        go_on = False
        for name, optimizer in optimizers.items():
            try:
                changed, result = _run(
                    optimizer(), copy.deepcopy(graph) if catch_errors else graph, iteration
                )
            except Exception:
                if not catch_errors:
                    raise
                logging.getLogger(__name__).debug("%s failed", name, exc_info=True)
                continue
            go_on, graph = go_on or changed, result
        iteration += 1
    graph.topological_sort(graph.get_nodes())
    return graph


def _run(optimizer: Any, graph: Any, iteration: int) -> tuple[bool, Any]:
    """Do what GraphOptimizerBase.optimize does, without writing constants again."""
    optimizer.opt_iteration = iteration
    graph = optimizer._optimize(graph)
    for node in graph.get_nodes():
        if not node.is_const():
            node.update_proto()
    graph.delete_unused_nodes(graph.outputs)
    return bool(optimizer.graph_been_opt), graph
