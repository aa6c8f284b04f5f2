"""Tables of Gather as integers: the rows that are read become floats, and nothing else does.

On int8 that is Gather -> Cast -> Mul with what a Gather of the scales gives: standard operators. A
DequantizeLinear in front of the Gather would make floats of the whole table.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from edgekit_converters.integers import (
    BITS,
    BLOCK_SIZE,
    MIN_ROW_ELEMENTS,
    MIN_TABLE_ELEMENTS,
    asymmetric_int4,
    integer_table,
)
from edgekit_converters.onnx.graph import (
    Scope,
    attribute_of,
    bodies,
    drop_unread_constants,
    graphs,
    sort_nodes,
    use_contrib_ops,
    values_of,
)
from edgekit_runtimes.tensors import Array


@dataclass(frozen=True)
class Lookup:
    """A Gather of a constant table. graph, owner: that of the node, and that of the table."""

    node: Any
    graph: Any
    table: Any
    owner: Any

    @property
    def axis(self) -> int:
        """The axis of the table along which it is read."""
        return int(attribute_of(self.node, "axis", 0)) % len(self.table.dims)


def store_tables(model: onnx.ModelProto, bits: int = 8) -> int:
    """Let each Gather read integers, where its table is large enough; return how many do.

    Tables that something else reads too stay as they are. bits: 4 stores matrices in blocks that
    share a scale, as `int4` does kernels, and other tables in 8.
    """
    reads = Counter(
        name for graph in graphs(model.graph) for node in graph.node for name in node.input
    )
    reads.update(output.name for graph in graphs(model.graph) for output in graph.output)
    found = defaultdict(list)
    for lookup in _lookups(model.graph):
        found[lookup.table.name].append(lookup)
    stored = 0
    for name, lookups in found.items():
        values = values_of(lookups[0].table)
        if len(lookups) < reads[name] or not np.isfinite(values).all():
            continue
        for lookup in lookups:
            if bits == BITS and _takes_blocks(lookup, values):
                _replace(lookup, _read_blocks(lookup, values))
                use_contrib_ops(model)
            else:
                _replace(lookup, _read_integers(lookup, values))
            stored += 1
    for graph in graphs(model.graph):
        sort_nodes(graph)
    drop_unread_constants(model.graph)
    return stored


def lookup_names(graph: Any) -> list[str]:
    """Return the names of the Gathers of large tables; one that has no name gets one."""
    names = []
    for number, lookup in enumerate(_lookups(graph)):
        lookup.node.name = lookup.node.name or f"lookup_{number}"
        names.append(lookup.node.name)
    return names


def _lookups(graph: Any, around: Scope | None = None) -> Iterator[Lookup]:
    scope = {**(around or {}), **{tensor.name: (tensor, graph) for tensor in graph.initializer}}
    for node in graph.node:
        if node.op_type == "Gather" and node.input[0] in scope:
            table, owner = scope[node.input[0]]
            is_large = np.prod(table.dims) >= MIN_TABLE_ELEMENTS
            if table.data_type == onnx.TensorProto.FLOAT and is_large:
                yield Lookup(node, graph, table, owner)
        for body in bodies(node):
            yield from _lookups(body, scope)


def _takes_blocks(lookup: Lookup, values: Array) -> bool:
    is_matrix = values.ndim == 2 and lookup.axis == 0
    return is_matrix and values.shape[1] >= MIN_ROW_ELEMENTS and values.shape[1] % 2 == 0


def _read_integers(lookup: Lookup, values: Array) -> list[Any]:
    name, indices, result = lookup.table.name, lookup.node.input[1], lookup.node.output[0]
    table = integer_table(values, lookup.axis)
    integers, scales = (f"{name}_{part}_{lookup.axis}" for part in ("int8", "scales"))
    _add_constants(lookup.owner, {integers: table.integers, scales: table.scales})
    nodes = []

    def read(constant: str, has_rows: bool) -> str:
        rows = constant
        if has_rows:
            rows = f"{result}_{constant}"
            nodes.append(
                onnx.helper.make_node("Gather", [constant, indices], [rows], axis=lookup.axis)
            )
        floats = f"{result}_{constant}_float"
        nodes.append(onnx.helper.make_node("Cast", [rows], [floats], to=onnx.TensorProto.FLOAT))
        return floats

    factors = [read(integers, True), read(scales, table.scales.size > 1)]
    return [*nodes, onnx.helper.make_node("Mul", factors, [result], name=lookup.node.name)]


def _read_blocks(lookup: Lookup, values: Array) -> list[Any]:
    """Return the nodes that read a matrix of 4-bit integers with half-precision scales."""
    name, indices, result = lookup.table.name, lookup.node.input[1], lookup.node.output[0]
    packed, scales, zero_points = asymmetric_int4(values.T)
    parts = {
        # Without what pads the last block: two values are in a byte.
        f"{name}_int4": packed.reshape(len(values), -1)[:, : values.shape[1] // 2],
        f"{name}_int4_scales": scales.astype(np.float16),
        f"{name}_int4_zero_points": zero_points,
    }
    _add_constants(lookup.owner, parts)
    integers, scale_name, points = parts
    return [
        onnx.helper.make_node(
            "GatherBlockQuantized",
            [integers, indices, scale_name, points],
            [f"{result}_half"],
            name=lookup.node.name,
            domain="com.microsoft",
            bits=BITS,
            block_size=BLOCK_SIZE,
            gather_axis=0,
            quantize_axis=1,
        ),
        onnx.helper.make_node("Cast", [f"{result}_half"], [result], to=onnx.TensorProto.FLOAT),
    ]


def _add_constants(graph: Any, constants: dict[str, Array]) -> None:
    """Add what is not there yet: two Gathers may read one table."""
    known = {tensor.name for tensor in graph.initializer}
    graph.initializer.extend(
        numpy_helper.from_array(values, name)
        for name, values in constants.items()
        if name not in known
    )


def _replace(lookup: Lookup, nodes: list[Any]) -> None:
    """Put nodes in the place of a lookup's; they are in order only once the graph is sorted."""
    *others, last = nodes
    lookup.node.CopyFrom(last)
    lookup.graph.node.extend(others)
