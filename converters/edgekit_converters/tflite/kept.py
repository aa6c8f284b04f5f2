"""Which operators stay in floats where activations are quantized too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from edgekit_converters.integers import LOWEST_ACTIVATION
from edgekit_converters.tflite.rest import KERNELS, Constant, float_constants
from edgekit_converters.tflite.tables import lookup_of
from edgekit_converters.tflite.tree import Tree


def kept_scopes(content: bytes, ranges: Mapping[str, Any], activation_bits: int) -> list[str]:
    """Return the scopes, as the LiteRT quantizer matches them, of what stays in floats.

    ranges: "min" and "max" of each tensor, by name, over the calibration samples.
    """
    tree = Tree(content)
    kept = []
    for subgraph in tree.model.subgraphs:
        constants = list(float_constants(tree, subgraph))
        for operator in (
            *_masked(tree, subgraph, constants, ranges),
            *_lookups(tree, constants, activation_bits),
        ):
            names = (subgraph.tensors[output].name.decode() for output in operator.outputs)
            kept.append("^" + "".join(f"{re.escape(name)};" for name in names) + "$")
    return list(dict.fromkeys(kept))


def _masked(
    tree: Tree, subgraph: Any, constants: list[Constant], ranges: Mapping[str, Any]
) -> Iterator[Any]:
    """Yield what reads or makes values under LOWEST_ACTIVATION that a constant brings in.

    Attention adds -1e9 to the scores that it masks, or selects -inf instead of them. In 8 bits
    such a tensor has steps of millions: all scores that are not masked become one value.
    """
    masked = {one.number for one in constants if one.values.min(initial=0) < LOWEST_ACTIVATION}
    for operator in subgraph.operators:
        code = tree.code(operator)
        if any(
            tensor in masked and (code, place) not in KERNELS
            for place, tensor in enumerate(operator.inputs)
        ):
            masked |= {
                output
                for output in operator.outputs
                if _lowest(ranges, subgraph.tensors[output]) < LOWEST_ACTIVATION
            }
            yield operator


def _lowest(ranges: Mapping[str, Any], tensor: Any) -> float:
    known = ranges.get(tensor.name.decode())
    return 0.0 if known is None else float(known["min"].min())


def _lookups(tree: Tree, constants: list[Constant], activation_bits: int) -> Iterator[Any]:
    """Yield the lookups whose tables the quantizer would not store well.

    It makes a table as wide as activations are, and stores it again where it is a layer's kernel
    as well.
    """
    for constant in constants:
        lookups = [
            reader for reader, _ in constant.readers if lookup_of(tree, constant.subgraph, reader)
        ]
        if activation_bits > 8 or len(lookups) < len(constant.readers):
            yield from lookups
