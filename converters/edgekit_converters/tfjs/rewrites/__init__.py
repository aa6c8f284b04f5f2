"""What TF.js (4.22.0) computes wrongly or not at all, said in operators that it computes rightly.

Each module holds one rewrite: what TF.js makes of the operator, and `rewrite(graph, shapes)`, which
edits the graph and returns whether it changed anything. tests/tfjs_operators/ holds the proof.
"""

from __future__ import annotations

from collections.abc import Callable

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.tfjs.rewrites import (
    bands,
    batch_norms,
    casts,
    choices,
    clips,
    cumulations,
    divisions,
    einsum,
    fake_quant,
    gathers,
    lengths,
    one_hot,
    pools,
    products,
    random_integers,
    shape_lists,
    slices,
    spectra,
    suppressions,
)
from edgekit_converters.tfjs.shapes import InputShapes, Shapes, infer_shapes

REWRITES: tuple[Callable[[EditableGraph, InputShapes], bool], ...] = (
    bands.rewrite,
    batch_norms.rewrite,
    casts.rewrite,
    choices.rewrite,
    clips.rewrite,
    cumulations.rewrite,
    divisions.rewrite,
    einsum.rewrite,
    fake_quant.rewrite,
    gathers.rewrite,
    lengths.rewrite,
    one_hot.rewrite,
    pools.rewrite,
    products.rewrite,
    random_integers.rewrite,
    shape_lists.rewrite,
    slices.rewrite,
    spectra.rewrite,
    suppressions.rewrite,
)


def rewrite(frozen: FrozenGraph, shapes: Shapes) -> tuple[FrozenGraph, Shapes]:
    """Return the graph after all rewrites, and its shapes.

    shapes: those of `frozen`. What stands in the functions of loops and branches is left as it is.
    """
    while True:
        graph = EditableGraph(frozen)
        known = {node.name: tuple(shapes.get(name) for name in node.input) for node in graph}
        if not any([change(graph, known) for change in REWRITES]):
            return frozen, shapes
        # Again: what a rewrite makes may be what another one looks for.
        graph.sweep()
        frozen = graph.frozen()
        shapes = infer_shapes(frozen)
