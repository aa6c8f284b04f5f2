"""From a frozen graph to the graph that TF.js runs; done once for all artifacts."""

from __future__ import annotations

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.fold import fold_constants
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.graph.normalize import apply, bucketize
from edgekit_converters.graph.shapes import infer_shapes
from edgekit_converters.graph.substitutes import (
    diagonals,
    einsum,
    elementary,
    groups_3d,
    pools_3d,
    resize,
    roll,
    space_to_depth,
    volumes_transposed,
)
from edgekit_converters.quantize.leveling import level
from edgekit_converters.tfjs.dtypes import narrow_dtypes
from edgekit_converters.tfjs.functions import prepare_functions
from edgekit_converters.tfjs.fuse import fuse
from edgekit_converters.tfjs.groups import split_groups
from edgekit_converters.tfjs.ops import check_branches, check_convolutions, check_ops, check_proven
from edgekit_converters.tfjs.rewrites import rewrite

# What TF.js has no operator for, or no kernel on each back end, in operators that it has.
REWRITES = (
    bucketize.rewrite,
    diagonals.rewrite,
    einsum.rewrite,
    elementary.without("Erfc", "Softsign"),
    groups_3d.rewrite,
    pools_3d.rewrite,
    resize.rewrite,
    roll.rewrite,
    space_to_depth.rewrite,
    volumes_transposed.rewrite,
)


def prepare(graph: FrozenGraph) -> FrozenGraph:
    """Return the graph folded, fused and in TF.js's number types.

    The result holds TF.js's fused ops, which TensorFlow cannot run (`expand` undoes them).
    Raises ConversionError naming all ops that TF.js lacks, or the convolution that it does not
    have.
    """
    check_branches(graph.graph_def)
    # Each weight is stored with one scale.
    folded = fold_constants(level(graph))
    rewritten = apply(folded, *REWRITES)
    if rewritten is not folded:
        folded = fold_constants(rewritten)
    folded = prepare_functions(folded)
    check_ops(folded.graph_def)
    frozen = narrow_dtypes(folded)
    shapes = infer_shapes(frozen)
    split = split_groups(frozen, shapes)
    if split is not frozen:
        shapes = infer_shapes(split)
    frozen, shapes = rewrite(split, shapes)
    check_convolutions(frozen, shapes)
    prepared = _separate_outputs(fuse(frozen, shapes))
    check_proven(prepared)
    return prepared


def _separate_outputs(frozen: FrozenGraph) -> FrozenGraph:
    """Make every output be output 0 of its own node, which is neither an input nor a constant.

    The loader finds outputs by node, and the caller disposes of them: an output that is a weight
    would be gone at the second run.
    """
    graph = EditableGraph(frozen)
    dtypes = {spec.name: tf.as_dtype(spec.dtype).as_datatype_enum for spec in frozen.output_specs}
    taken: set[str] = set()
    for name, tensor in graph.outputs.items():
        if tensor in taken or ":" in tensor or graph.node(tensor).op in ("Const", "Placeholder"):
            graph.outputs[name] = graph.add("Identity", name, [tensor], T=dtypes[name])
        taken.add(graph.outputs[name])
    return graph.frozen()
