"""Tables of Gather as integers: the rows that are read become floats, and nothing else does.

The LiteRT quantizer knows tables of EMBEDDING_LOOKUP, which takes one list of indices; TensorFlow
writes a GATHER, along any axis, by indices of any shape. On integers that is

    GATHER(integers) -> CAST -> MUL with GATHER(scales)

which every version of LiteRT runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgekit_converters.integers import BITS as SHORT_BITS
from edgekit_converters.integers import IntegerTable, integer_table
from edgekit_converters.tflite.tree import Tree, shape_of
from edgekit_runtimes.tensors import Array

_Builtin = schema.BuiltinOperator
_Type = schema.TensorType


@dataclass(frozen=True)
class Lookup:
    """A GATHER of a table, and the tensors that it reads and makes."""

    operator: Any
    table: Any
    indices: int
    result: int

    @property
    def axis(self) -> int:
        """The axis of the table along which it is read."""
        return int(self.operator.builtinOptions.axis) % len(shape_of(self.table))


def lookup_of(tree: Tree, subgraph: Any, operator: Any) -> Lookup | None:
    """Return what an operator looks up, where it is a GATHER that can read integers instead."""
    if tree.code(operator) != _Builtin.GATHER or operator.builtinOptions.batchDims:
        return None
    table, indices = operator.inputs
    return Lookup(operator, subgraph.tensors[table], indices, operator.outputs[0])


def read_integers(
    tree: Tree, subgraph: Any, lookups: Sequence[Lookup], values: Array, bits: int
) -> None:
    """Let the lookups of one table, whose values are given, read integers of `bits` bits.

    Where a layer has the very integers as its kernel (a projection that shares the table), the
    scales are the kernel's, so that the integers are stored once.
    """
    is_kernel = any(
        tensor.type in (_Type.INT8, _Type.INT4) and shape_of(tensor) == list(values.shape)
        for tensor in subgraph.tensors
    )
    for lookup in lookups:
        # LiteRT copies whole bytes.
        fills_bytes = np.prod(values.shape[lookup.axis + 1 :], dtype=int) % 2 == 0
        table = integer_table(values, lookup.axis, bits if fills_bytes else 8, not is_kernel)
        _read(tree, subgraph, lookup, table)


def _read(tree: Tree, subgraph: Any, lookup: Lookup, table: IntegerTable) -> None:
    name = lookup.table.name.decode()
    is_short = table.bits == SHORT_BITS
    add, kind = (tree.add_nibbles, _Type.INT4) if is_short else (tree.add_constant, _Type.INT8)
    integers = add(subgraph, f"{name}/int{table.bits}", table.integers)
    result = subgraph.tensors[lookup.result]
    shape, free = shape_of(result), result.shapeSignature

    def made(suffix: str, kind: int, shape: list[int], free: list[int] | None) -> int:
        return tree.add_tensor(subgraph, f"{name}/{suffix}", shape, kind, free)

    rows = made("rows", kind, shape, free)
    floats = made("float_rows", _Type.FLOAT32, shape, free)
    new = [
        tree.operator(_Builtin.GATHER, [integers, lookup.indices], rows, _gather(lookup.axis)),
        tree.operator(_Builtin.CAST, [rows], floats, schema.CastOptionsT()),
    ]
    scales = tree.add_constant(subgraph, f"{name}/scales", table.scales)
    if table.scales.dtype == np.float16:
        wide = made("float_scales", _Type.FLOAT32, list(table.scales.shape), None)
        new.append(tree.operator(_Builtin.DEQUANTIZE, [scales], wide, schema.DequantizeOptionsT()))
        scales = wide
    if table.scales.size > 1:
        ones = [axis for axis in range(table.integers.ndim) if axis != lookup.axis]
        read = made("read_scales", _Type.FLOAT32, *_with_ones(subgraph, lookup, ones))
        new.append(
            tree.operator(_Builtin.GATHER, [scales, lookup.indices], read, _gather(lookup.axis))
        )
        scales = read
    new.append(tree.operator(_Builtin.MUL, [floats, scales], lookup.result, schema.MulOptionsT()))
    place = next(i for i, one in enumerate(subgraph.operators) if one is lookup.operator)
    subgraph.operators[place : place + 1] = new


def _gather(axis: int) -> Any:
    return schema.GatherOptionsT(axis=axis, batchDims=0)


def _with_ones(
    subgraph: Any, lookup: Lookup, ones: list[int]
) -> tuple[list[int], list[int] | None]:
    """Return the shape of what is read of the scales, and where it is free."""
    indices = subgraph.tensors[lookup.indices]
    before = [1] * sum(axis < lookup.axis for axis in ones)
    after = [1] * (len(ones) - len(before))
    free = indices.shapeSignature
    return (
        [*before, *shape_of(indices), *after],
        None if free is None else [*before, *free, *after],
    )
