"""One pass that brings a frozen graph into idioms that every format reads.

Each module holds one rewrite: the pattern it looks for, where the pattern comes from, and
`rewrite(graph)`, which edits the graph and returns whether it changed anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.graph.library import give_new_names
from edgekit_converters.graph.normalize import (
    argmax,
    bincount,
    channels_first,
    dilated_transpose,
    ensure_shape,
    half,
    list_shapes,
    one_hot,
)

# In the order in which they are tried: `argmax` looks at bits, which `half` would change.
REWRITES: tuple[Callable[[EditableGraph], bool], ...] = (
    argmax.rewrite,
    half.rewrite,
    dilated_transpose.rewrite,
    channels_first.rewrite,
    ensure_shape.rewrite,
    bincount.rewrite,
    one_hot.rewrite,
    list_shapes.rewrite,
)


def normalize(frozen: FrozenGraph) -> FrozenGraph:
    """Return the graph with its idioms rewritten; the very same graph where there is none."""
    normalized = apply(frozen, *REWRITES)
    is_widened = half.computes_in_half(frozen) and not half.computes_in_half(normalized)
    return replace(normalized, half=True) if is_widened else normalized


def apply(frozen: FrozenGraph, *rewrites: Callable[[EditableGraph], bool]) -> FrozenGraph:
    """Return the graph after some rewrites; the very same graph where none finds anything."""
    graph = EditableGraph(frozen)
    changed = [rewrite(graph) for rewrite in rewrites]
    if not any(changed):
        return frozen
    graph.sweep()
    normalized = graph.frozen()
    give_new_names(normalized.graph_def)
    return normalized
