"""Transposed convolutions with a dilation, which TFLite lacks and TF.js computes without it.

A kernel with zeros between its elements does the same.
"""

from __future__ import annotations

import numpy as np

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.shapes import value_of_shapes
from edgekit_runtimes.tensors import Array

OPS = frozenset({"Conv2DBackpropInput", "Conv3DBackpropInputV2"})


def rewrite(graph: EditableGraph) -> bool:
    """Let zeros in the kernel stand for the dilation."""
    changed = False
    for node in graph:
        has_dilations = node.op in OPS and "dilations" in node.attr
        dilations = list(node.attr["dilations"].list.i) if has_dilations else []
        is_dilated = max(dilations, default=1) > 1
        kernel = value_of_shapes(graph.frozen(), node.input[1], {}) if is_dilated else None
        if kernel is None:
            continue
        is_first = node.attr["data_format"].s.startswith(b"NC")
        spatial = dilations[2:] if is_first else dilations[1:-1]
        wide = graph.add_constant(f"{node.name}/kernel", _dilated(kernel, spatial))
        graph.set_inputs(node, [node.input[0], wide, *node.input[2:]])
        node.attr["dilations"].list.i[:] = [1] * len(dilations)
        changed = True
    return changed


def _dilated(kernel: Array, dilations: list[int]) -> Array:
    steps = [*dilations, *[1] * (kernel.ndim - len(dilations))]
    sizes = [(size - 1) * step + 1 for size, step in zip(kernel.shape, steps, strict=True)]
    wide = np.zeros(sizes, kernel.dtype)
    wide[tuple(slice(None, None, step) for step in steps)] = kernel
    return wide
