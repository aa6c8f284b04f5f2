"""Matrix products, which work in ONNX order."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.sources.onnx.node import Node
from edgekit_converters.sources.onnx.ops import operator
from edgekit_converters.sources.onnx.value import Value

MATRIX = 2


@operator("MatMul")
def matmul(node: Node) -> Value:
    """As numpy.matmul; a transposition of the last two axes of an operand is part of it."""
    left, right = node[0], node[1]
    if left.rank == 1 and right.rank == 1:
        return node.value(tf.reduce_sum(left.plain * right.plain))
    if left.rank == 1:
        found = tf.matmul(tf.expand_dims(left.plain, 0), right.plain)
        return node.value(tf.squeeze(found, [-2]))
    if right.rank == 1:
        found = _product(node, left, right.reshaped((*right.sizes, 1)))
        return node.value(node.batch.reshaped(found, node.sizes[0]))
    return node.value(_product(node, left, right))


def _product(node: Node, left: Value, right: Value) -> Any:
    # TFLite knows no product of a matrix and many, unless the one is a constant: a dense layer.
    rank = right.rank if right.array is not None and right.rank == MATRIX else 0
    rank = rank or max(left.rank, right.rank)
    (one, turn_one), (two, turn_two) = (
        _as_it_lies(left.padded(rank)),
        _as_it_lies(right.padded(rank)),
    )
    return tf.matmul(one, two, transpose_a=turn_one, transpose_b=turn_two)


def _as_it_lies(value: Value) -> tuple[Any, bool]:
    """Return a tensor, and whether its last two axes are swapped: a product takes both."""
    swapped = (*range(value.rank - 2), value.rank - 1, value.rank - 2)
    if value.array is None and value.order == swapped:
        return value.own, True
    return value.plain, False


@operator("Gemm")
def gemm(node: Node) -> Value:
    """Alpha A B + beta C, each transposed where asked for."""
    left, right = node[0], node[1]
    alpha, beta = node.get("alpha", 1.0), node.get("beta", 1.0)
    if right.array is not None:
        matrix = right.array.T if node.get("transB", 0) else right.array
        matrix = matrix if alpha == 1 else (matrix * alpha).astype(matrix.dtype)
        other, turn, alpha = tf.constant(np.asarray(matrix, order="C")), False, 1.0
    else:
        other, turn = right.plain, bool(node.get("transB", 0))
    found = tf.matmul(left.plain, other, transpose_a=bool(node.get("transA", 0)), transpose_b=turn)
    if alpha != 1:
        found = found * np.asarray(alpha, left.dtype)
    extra = node.maybe(2)
    if extra is None or beta == 0:
        return node.value(found)
    if extra.array is not None:
        scaled = extra.array if beta == 1 else (extra.array * beta).astype(extra.array.dtype)
        width = node.sizes[0][-1]
        if scaled.size == width and scaled.shape[-1:] == (width,):
            return node.value(tf.nn.bias_add(found, scaled.reshape(-1)))
        return node.value(found + tf.constant(scaled))
    added = extra.plain if beta == 1 else extra.plain * np.asarray(beta, left.dtype)
    return node.value(found + added)


@operator("Einsum")
def einsum(node: Node) -> Value:
    """As numpy.einsum."""
    equation = node.get("equation").replace(" ", "")
    if "->" not in equation:
        letters = "".join(sorted({c for c in equation if equation.count(c) == 1 and c.isalpha()}))
        equation = f"{equation}->{'...' if '...' in equation else ''}{letters}"
    terms = equation.split("->")[0].split(",")
    if any(len(set(term.replace(".", ""))) != len(term.replace(".", "")) for term in terms):
        raise node.refusal(f"it takes a diagonal ({equation})")
    values = [value.plain for value in node.inputs if value is not None]
    return node.value(tf.einsum(equation, *values))


@operator("Det")
def det(node: Node) -> Value:
    """The determinant."""
    return node.value(tf.linalg.det(node[0].plain))


@operator("com.microsoft.FusedMatMul")
def fused_matmul(node: Node) -> Value:
    """A product as onnxruntime fuses it."""
    flags = {name: bool(node.get(name, 0)) for name in ("transA", "transB")}
    if node.get("transBatchA", 0) or node.get("transBatchB", 0):
        raise node.refusal("it transposes its batch")
    rank = max(node[0].rank, node[1].rank)
    found = tf.matmul(
        node[0].padded(rank).plain,
        node[1].padded(rank).plain,
        transpose_a=flags["transA"],
        transpose_b=flags["transB"],
    )
    alpha = node.get("alpha", 1.0)
    return node.value(found if alpha == 1 else found * np.asarray(alpha, node[0].dtype))
