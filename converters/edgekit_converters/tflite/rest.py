"""What the LiteRT quantizer leaves in floats, stored in fewer bits all the same.

It knows the kernels of dense layers and 2D convolutions. Others are stored as integers, or in
half precision, and become floats again before they are read; tables of GATHER are read as
integers (`tables`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgekit_converters.integers import LARGEST_HALF, MIN_TABLE_ELEMENTS, signs, symmetric_int8
from edgekit_converters.left import FloatConstant
from edgekit_converters.tflite.tables import lookup_of, read_integers
from edgekit_converters.tflite.tree import Tree
from edgekit_runtimes.tensors import Array

_Builtin = schema.BuiltinOperator
_Type = schema.TensorType

HALF_BITS = 16

NAMES = {number: name for name, number in vars(_Builtin).items() if isinstance(number, int)}

# Smaller kernels save less than the operator that makes floats of them takes.
MIN_ELEMENTS = 256

# The inputs of operators that are kernels, and the axis of their output channels. What is computed
# of kernels is a sum of many products, in which the errors of rounding cancel. What is added or
# multiplied element by element (grids, anchors, positions) is not one: an error there stays.
KERNELS = {
    (_Builtin.FULLY_CONNECTED, 1): 0,
    (_Builtin.CONV_2D, 1): 0,
    (_Builtin.DEPTHWISE_CONV_2D, 1): -1,
    (_Builtin.TRANSPOSE_CONV, 1): 0,
    (_Builtin.CONV_3D, 1): -1,
    (_Builtin.CONV_3D_TRANSPOSE, 1): -2,
    (_Builtin.BATCH_MATMUL, 0): -2,
    (_Builtin.BATCH_MATMUL, 1): -1,
}


@dataclass(frozen=True)
class Constant:
    """A float constant of a subgraph, and what reads it: operators, and at which place."""

    subgraph: Any
    number: int
    values: Array
    readers: tuple[tuple[Any, int], ...]

    @property
    def tensor(self) -> Any:
        """The tensor of the schema."""
        return self.subgraph.tensors[self.number]


def store_rest(content: bytes, bits: int) -> bytes:
    """Return the file with what is large and still in floats stored in `bits` bits.

    4: tables take 4, kernels 8. 16: both, and every other matrix, are float16.
    """
    tree = Tree(content)
    stored = [
        _store(tree, constant, bits)
        for subgraph in tree.model.subgraphs
        for constant in list(float_constants(tree, subgraph))
    ]
    return tree.content() if any(stored) else content


def float_constants(tree: Tree, subgraph: Any) -> Iterator[Constant]:
    """Yield the float constants of a subgraph that operators read."""
    readers = tree.readers(subgraph)
    for number, tensor in enumerate(subgraph.tensors):
        if tensor.type == _Type.FLOAT32 and number in readers:
            values = tree.values(tensor)
            if values is not None:
                yield Constant(subgraph, number, values, tuple(readers[number]))


def left_floats(content: bytes) -> list[FloatConstant]:
    """Return the float constants of a file; one that several subgraphs read comes once."""
    tree = Tree(content)
    found: dict[int, FloatConstant] = {}
    for subgraph in tree.model.subgraphs:
        for constant in float_constants(tree, subgraph):
            readers = tuple(NAMES[tree.code(reader)] for reader, _ in constant.readers)
            known = found.get(constant.tensor.buffer)
            found[constant.tensor.buffer] = FloatConstant(
                constant.values.shape, (*(known.readers if known else ()), *readers)
            )
    return list(found.values())


def _store(tree: Tree, constant: Constant, bits: int) -> bool:
    """Store a constant in fewer bits where that pays, and return whether it did."""
    if constant.values.size < MIN_ELEMENTS or not np.isfinite(constant.values).all():
        return False
    lookups = [
        lookup
        for reader, place in constant.readers
        if place == 0 and (lookup := lookup_of(tree, constant.subgraph, reader))
    ]
    if bits == HALF_BITS:
        return _store_half(tree, constant, is_table=bool(lookups))
    looking = [lookup.operator for lookup in lookups]
    others = [(reader, place) for reader, place in constant.readers if reader not in looking]
    axes = [KERNELS.get((tree.code(reader), place)) for reader, place in others]
    if None in axes:
        return _store_half(tree, constant, is_table=bool(lookups))
    if lookups and constant.values.size < MIN_TABLE_ELEMENTS:
        return False
    if axes and axes[0] is not None:
        integers, scales = symmetric_int8(constant.values, axes[0])
        stored = _add_integers(tree, constant, integers, scales, axes[0])
        _read_through(tree, constant, stored)
    read_integers(tree, constant.subgraph, lookups, constant.values, bits)
    return True


def _store_half(tree: Tree, constant: Constant, is_table: bool) -> bool:
    """Store a matrix that is no kernel as float16, or a mask, which is too large, as int8."""
    values = constant.values
    if not (is_table or values.ndim > 1):
        return False
    if np.abs(values).max() <= LARGEST_HALF:
        name = f"{constant.tensor.name.decode()}/half"
        half = tree.add_constant(constant.subgraph, name, values.astype(np.float16))
        _read_through(tree, constant, half)
        return True
    if mask := signs(values):
        _read_through(tree, constant, _add_integers(tree, constant, *mask))
    return mask is not None


def _add_integers(
    tree: Tree, constant: Constant, integers: Array, scales: Array, axis: int = 0
) -> int:
    name = f"{constant.tensor.name.decode()}/int8"
    number = tree.add_constant(constant.subgraph, name, integers)
    constant.subgraph.tensors[number].quantization = schema.QuantizationParametersT(
        scale=scales.tolist(),
        zeroPoint=[0] * scales.size,
        quantizedDimension=axis % integers.ndim,
    )
    return number


def _read_through(tree: Tree, constant: Constant, stored: int) -> None:
    """Let a constant's tensor be made of what is stored, before it is read."""
    subgraph = constant.subgraph
    constant.tensor.buffer = 0
    spread = tree.operator(
        _Builtin.DEQUANTIZE, [stored], constant.number, schema.DequantizeOptionsT()
    )
    readers = [reader for reader, _ in constant.readers]
    places = (i for i, one in enumerate(subgraph.operators) if one in readers)
    subgraph.operators.insert(next(places), spread)
