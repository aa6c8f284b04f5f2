"""Einsum of two tensors, which the layers EinsumDense and MultiHeadAttention of Keras make.

tf2onnx tries all orders of the letters, which takes hours from seven letters on; TF.js has no
WebAssembly kernel for it, and quantizers look for MatMul. A product of matrices does the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.normalize.parts import replace_node
from edgekit_converters.graph.shapes import infer_shapes

# What an unknown size is called where a shape is asked for.
FREE = -1


def rewrite(graph: EditableGraph) -> bool:
    """Replace each Einsum of two tensors of which at most one size is free."""
    found = [node for node in graph if node.op == "Einsum" and len(node.input) == 2]
    shapes = infer_shapes(graph.frozen()) if found else {}
    changed = False
    for node in found:
        sizes = _sizes(node, [shapes.get(name) for name in node.input])
        if sizes is not None:
            _replace(graph, node, sizes)
            changed = True
    return changed


def _sizes(node: Any, shapes: Sequence[tuple[int | None, ...] | None]) -> dict[str, int] | None:
    """Return the size of each letter, or None where the equation is not of the plain kind."""
    terms, output = _parts(node)
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        if "." in term or len(set(term)) < len(term) or shape is None or len(shape) != len(term):
            return None
        for letter, size in zip(term, shape, strict=True):
            known = FREE if size is None else size
            if sizes.setdefault(letter, known) not in (known, FREE):
                if known != FREE:
                    # A size of 1 that is spread over the other's.
                    return None
            elif known != FREE:
                sizes[letter] = known
    is_plain = len(set(output)) == len(output) and set(output) <= set(sizes)
    return sizes if is_plain and list(sizes.values()).count(FREE) <= 1 else None


def _parts(node: Any) -> tuple[list[str], str]:
    left, _, output = node.attr["equation"].s.decode().replace(" ", "").partition("->")
    return left.split(","), output


def _replace(graph: EditableGraph, node: Any, sizes: dict[str, int]) -> None:
    (first, second), output = _parts(node)
    shared = [letter for letter in first if letter in second]
    batch = [letter for letter in output if letter in shared]
    summed = [letter for letter in shared if letter not in output]
    rows = [letter for letter in output if letter in first and letter not in shared]
    columns = [letter for letter in output if letter in second and letter not in shared]

    def compute(x: Any, y: Any) -> Any:
        # With a rank, `matmul` makes MatMul of two matrices, which is fused and quantized.
        x.set_shape([None] * len(first))
        y.set_shape([None] * len(second))
        x = _matrix(_summed(x, first, [*shared, *rows]), batch, rows, summed)
        y = _matrix(_summed(y, second, [*shared, *columns]), batch, summed, columns)
        result = _reshaped(tf.matmul(x, y), [*batch, *rows, *columns], len(batch) + 2)
        return _transposed(result, [*batch, *rows, *columns], output)

    def _summed(x: Any, letters: str, kept: list[str]) -> tuple[Any, list[str]]:
        axes = [axis for axis, letter in enumerate(letters) if letter not in kept]
        left = [letter for letter in letters if letter in kept]
        return (tf.reduce_sum(x, axes) if axes else x), left

    def _matrix(given: tuple[Any, list[str]], *groups: list[str]) -> Any:
        x, letters = given
        order = [letter for group in groups for letter in group]
        x = _transposed(x, letters, order)
        kept, *rest = groups
        if all(len(group) == 1 for group in rest):
            return x
        return tf.reshape(x, [*(sizes[letter] for letter in kept), *map(_count, rest)])

    def _reshaped(x: Any, letters: list[str], rank: int) -> Any:
        if len(letters) == rank:
            return x
        return tf.reshape(x, [sizes[letter] for letter in letters])

    def _count(group: list[str]) -> int:
        counts = [sizes[letter] for letter in group]
        return FREE if FREE in counts else math.prod(counts)

    inputs = dict.fromkeys(node.input, node.attr["T"].type)
    replace_node(graph, node, lambda *tensors: compute(tensors[0], tensors[-1]), inputs)


def _transposed(x: Any, letters: Sequence[str], order: Sequence[str]) -> Any:
    axes = [list(letters).index(letter) for letter in order]
    return x if axes == sorted(axes) else tf.transpose(x, axes)
