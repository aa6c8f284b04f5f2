"""What TF.js (4.22.0) computes wrongly or not at all, said in operators that it computes rightly.

Each module of the folders here holds one rewrite: what TF.js makes of the operator, and
`rewrite(graph, shapes)`, which edits the graph and returns whether it changed anything.
tests/tfjs_operators/ holds the proof.
"""

from __future__ import annotations

from collections.abc import Callable

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.graph.shapes import InputShapes, Shapes, infer_shapes
from edgekit_converters.tfjs.rewrites import elementwise, moves, sums

REWRITES: tuple[Callable[[EditableGraph, InputShapes], bool], ...] = (
    *elementwise.REWRITES,
    *moves.REWRITES,
    *sums.REWRITES,
)


def rewrite(frozen: FrozenGraph, shapes: Shapes) -> tuple[FrozenGraph, Shapes]:
    """Return the graph after all rewrites, and its shapes.

    shapes: those of `frozen`. What stands in the functions of loops and branches is left as it is.
    """
    while True:
        graph = EditableGraph(frozen)
        known = {node.name: tuple(shapes.get(name) for name in node.input) for node in graph}
        changed = [change(graph, known) for change in REWRITES]
        if not any(changed):
            return frozen, shapes
        # Again: what a rewrite makes may be what another one looks for.
        graph.sweep()
        frozen = graph.frozen()
        shapes = infer_shapes(frozen)
