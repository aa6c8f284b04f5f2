"""Which operators the LiteRT quantizer must leave alone: those that it would get wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgekit_converters.integers import LARGEST_ACTIVATION, LARGEST_HALF, integer_table
from edgekit_converters.tflite.rest import HALF_BITS, KERNELS, Constant, float_constants
from edgekit_converters.tflite.tables import lookup_of
from edgekit_converters.tflite.tree import Tree


def kept_scopes(
    content: bytes, weight_bits: int, activation_bits: int | None, ranges: Mapping[str, Any]
) -> list[str]:
    """Return the scopes, as the LiteRT quantizer matches them, of what it must not quantize.

    activation_bits: None where activations stay in floats. ranges: "min" and "max" of each tensor,
    by name, over the calibration samples; empty there.
    """
    tree = Tree(content)
    kept = []
    for subgraph in tree.model.subgraphs:
        constants = list(float_constants(tree, subgraph))
        operators = list(_left_matrices(tree, constants))
        if weight_bits == HALF_BITS:
            operators += _beyond_half(constants)
        if activation_bits is not None:
            operators += _masked(tree, subgraph, constants, ranges)
            operators += _lookups(tree, constants, activation_bits)
        for operator in operators:
            names = (subgraph.tensors[output].name.decode() for output in operator.outputs)
            kept.append(scope_of(names))
    return list(dict.fromkeys(kept))


def scope_of(names: Iterable[str]) -> str:
    """Return the scope that matches the operator which makes tensors of these names."""
    return "^" + "".join(f"{re.escape(name)};" for name in names) + "$"


def _beyond_half(constants: list[Constant]) -> Iterator[Any]:
    """Yield what reads a constant that float16 cannot hold: the quantizer makes infinity of it."""
    for constant in constants:
        if np.abs(constant.values).max(initial=0) > LARGEST_HALF:
            yield from (reader for reader, _ in constant.readers)


def _left_matrices(tree: Tree, constants: list[Constant]) -> Iterator[Any]:
    """Yield the products with a constant on the left, which LiteRT has for two floats only.

    With an integer there they do not load, or are computed wrongly (LiteRT 2.3).
    """
    for constant in constants:
        for reader, place in constant.readers:
            if place == 0 and tree.code(reader) == schema.BuiltinOperator.BATCH_MATMUL:
                yield reader


def _masked(
    tree: Tree, subgraph: Any, constants: list[Constant], ranges: Mapping[str, Any]
) -> Iterator[Any]:
    """Yield what reads or makes values beyond LARGEST_ACTIVATION that a constant brings in.

    Attention takes 1e9 from the scores that it masks, or selects -inf instead of them. In 8 bits
    such a tensor has steps of millions: all scores that are not masked become one value. A bias
    of that size leaves the range of the 32 bits that it gets.
    """
    masked = {
        one.number for one in constants if np.abs(one.values).max(initial=0) > LARGEST_ACTIVATION
    }
    for operator in subgraph.operators:
        code = tree.code(operator)
        if any(
            tensor in masked and (code, place) not in KERNELS
            for place, tensor in enumerate(operator.inputs)
        ):
            masked |= {
                output
                for output in operator.outputs
                if _largest(ranges, subgraph.tensors[output]) > LARGEST_ACTIVATION
            }
            yield operator


def _largest(ranges: Mapping[str, Any], tensor: Any) -> float:
    known = ranges.get(tensor.name.decode(), {})
    return max((float(np.abs(ends).max()) for ends in known.values()), default=0.0)


def _lookups(tree: Tree, constants: list[Constant], activation_bits: int) -> Iterator[Any]:
    """Yield the lookups whose tables the quantizer would not store well.

    It makes a table as wide as activations are, with one scale for all rows, and stores it again
    where it is a layer's kernel as well.
    """
    for constant in constants:
        found = (lookup_of(tree, constant.subgraph, reader) for reader, _ in constant.readers)
        lookups = [lookup for lookup in found if lookup]
        if (
            activation_bits > 8
            or len(lookups) < len(constant.readers)
            or any(integer_table(constant.values, one.axis).has_unlike_rows for one in lookups)
        ):
            yield from (lookup.operator for lookup in lookups)
