"""Einsum as transposed, reshaped and multiplied matrices.

TF.js (4.22.0) has no kernel for it on wasm, reads its equation in lower case, and elsewhere
multiplies all pairs of numbers before it sums any. The plain ones are replaced before, by
graph/substitutes/einsum.py: these are of one tensor, with an ellipsis, or with several free sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import InputShapes
from edgekit_converters.tfjs.rewrites.sizes import form, product

OP = "Einsum"
# Stands for the axes of an ellipsis: no letter, as an equation may have all of them.
_ELLIPSIS_LABELS = "0123456789"


def rewrite(graph: EditableGraph, shapes: InputShapes) -> bool:
    """Replace every Einsum of one or two tensors whose ranks are known."""
    changed = False
    for node in graph:
        if node.op == OP and node.name in shapes:
            known = shapes[node.name]
            terms = _terms(node.attr["equation"].s.decode(), known)
            if terms is not None:
                _replace(graph, node, terms, known)
                changed = True
    return changed


def _terms(equation: str, shapes: Sequence[Any]) -> list[str] | None:
    """Return the labels of each input and of the output; None for what is not rewritten."""
    sources, _, target = equation.replace(" ", "").partition("->")
    terms = sources.split(",")
    if len(terms) > 2 or None in shapes:
        return None
    hidden = [
        len(shape) - len(term.replace("...", "")) for term, shape in zip(terms, shapes, strict=True)
    ]
    if max(hidden) > len(_ELLIPSIS_LABELS):
        return None
    # Of several ellipses the last axes go together.
    labels = [_ELLIPSIS_LABELS[len(_ELLIPSIS_LABELS) - count :] for count in (*hidden, max(hidden))]
    expanded = [
        term.replace("...", label) for term, label in zip((*terms, target), labels, strict=True)
    ]
    is_diagonal = any(len(set(term)) < len(term) for term in expanded)
    return None if is_diagonal else expanded


def _replace(graph: EditableGraph, node: Any, terms: list[str], shapes: Sequence[Any]) -> None:
    *sources, target = terms
    names = list(dict.fromkeys(node.input))

    def compute(*tensors: Any) -> Any:
        given = dict(zip(names, tensors, strict=True))
        factors = [
            _Factor(given[name], labels, dict(zip(labels, shape, strict=True)))
            for name, labels, shape in zip(node.input, sources, shapes, strict=True)
        ]
        others = (sources[1], sources[0]) if len(sources) == 2 else ("",)
        kept = [
            factor.sum_except(other + target) for factor, other in zip(factors, others, strict=True)
        ]
        whole = kept[0] if len(kept) == 1 else _multiply(kept[0], kept[1], target)
        return whole.ordered(target).tensor

    replace_node(graph, node, compute, dict.fromkeys(names, node.attr["T"].type))


class _Factor:
    """A tensor whose axes have labels. sizes: by label, None where they are not known."""

    def __init__(self, tensor: Any, labels: str, sizes: dict[str, int | None]) -> None:
        self.tensor, self.labels, self.sizes = tensor, labels, sizes

    def sum_except(self, kept: str) -> _Factor:
        """Return the tensor summed over every axis that is not in `kept`."""
        axes = [axis for axis, label in enumerate(self.labels) if label not in kept]
        if not axes:
            return self
        labels = "".join(label for label in self.labels if label in kept)
        return _Factor(tf.reduce_sum(self.tensor, axes), labels, self.sizes)

    def ordered(self, labels: str) -> _Factor:
        """Return the tensor with its axes in the order of `labels`."""
        if labels == self.labels:
            return self
        order = [self.labels.index(label) for label in labels]
        return _Factor(tf.transpose(self.tensor, order), labels, self.sizes)

    def size(self, label: str) -> Any:
        """Return the size of an axis: a number, or a tensor that is computed at run time."""
        known = self.sizes[label]
        return tf.shape(self.tensor)[self.labels.index(label)] if known is None else known

    def grouped(self, *groups: str) -> Any:
        """Return the tensor with one axis for each group of labels, which are in this order."""
        if all(len(group) == 1 for group in groups):
            return self.tensor
        return tf.reshape(self.tensor, form([product(map(self.size, group)) for group in groups]))


def _multiply(a: _Factor, b: _Factor, target: str) -> _Factor:
    """Return the sum of products over the labels that both have and `target` has not."""
    shared = [label for label in target if label in a.labels and label in b.labels]
    summed = "".join(label for label in a.labels if label in b.labels and label not in target)
    left = "".join(label for label in target if label in a.labels and label not in shared)
    right = "".join(label for label in target if label in b.labels and label not in shared)
    batch = "".join(shared)
    turns_b = b.labels == batch + right + summed
    first = a.ordered(batch + left + summed)
    second = b if turns_b else b.ordered(batch + summed + right)
    ends = (right, summed) if turns_b else (summed, right)
    multiplied = tf.matmul(
        first.grouped(*batch, left, summed), second.grouped(*batch, *ends), transpose_b=turns_b
    )
    # An axis of an ellipsis may be 1 in one of them.
    sizes = a.sizes | b.sizes
    for label in shared:
        pair = (a.sizes[label], b.sizes[label])
        sizes[label] = pair[1] if pair[0] == 1 else pair[0]
    result = _Factor(multiplied, batch + left + right, sizes)
    if len(left) == len(right) == 1:
        return result
    shared_sizes = [
        tf.shape(multiplied)[axis] if sizes[label] is None else sizes[label]
        for axis, label in enumerate(batch)
    ]
    own_sizes = [*map(a.size, left), *map(b.size, right)]
    result.tensor = tf.reshape(multiplied, form([*shared_sizes, *own_sizes]))
    return result
