"""Lookup tables of integers as constants: a Gather where the keys are dense, else comparisons.

Keras's IntegerLookup is one (`tf.lookup.StaticHashTable`). Strings have no place in an artifact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.ops import gen_lookup_ops

from edgekit_runtimes.errors import SourceError
from edgekit_runtimes.tensors import Array

TABLE_OPS = frozenset({"LookupTableFind", "LookupTableFindV2"})

# A table of all integers from the least key to the largest may have so many entries, or four times
# as many as there are keys: 256 KB of int32.
MOST_ENTRIES = 65536
ENTRIES_PER_KEY = 4
# Comparing with every key costs that many operations a value.
MOST_COMPARISONS = 4096


# Given the types of keys and values, returns them all.
Export = Callable[[Any, Any], tuple[Array, Array]]


def replace_tables(graph_def: Any, exports: Mapping[str, Export]) -> None:
    """Replace each lookup in a graph by nodes that compute the same.

    exports: what reads a table, by the node that stands for it. Raises SourceError for tables that
    are not of integers, or have more keys than can be compared.
    """
    for node in [node for node in graph_def.node if node.op in TABLE_OPS]:
        table, values, default = node.input[:3]
        keys, found = _contents(node, exports.get(table.partition(":")[0]))
        order = np.argsort(keys, kind="stable")
        _replace(graph_def, node, values, default, keys[order], found[order])


def read_resource(resource: Any, keys: Any, values: Any) -> tuple[Array, Array]:
    """Return the keys and values of a table, of the types given."""
    found = gen_lookup_ops.lookup_table_export_v2(resource, keys, values)
    return found[0].numpy(), found[1].numpy()


def _contents(node: Any, export: Export | None) -> tuple[Array, Array]:
    dtypes = [tf.as_dtype(node.attr[name].type) for name in ("Tin", "Tout")]
    if export is None or not all(dtype.is_integer or dtype.is_floating for dtype in dtypes):
        raise SourceError(
            f"The model looks values up in a table of {dtypes[0].name} ({node.name}). Tables of "
            "integers convert; look strings up before the model, and give it their numbers."
        )
    return export(*dtypes)


def _replace(
    graph_def: Any, node: Any, values: str, default: str, keys: Array, found: Array
) -> None:
    low, high = int(keys.min()), int(keys.max())
    entries = high - low + 1
    is_dense = entries <= max(MOST_ENTRIES, ENTRIES_PER_KEY * len(keys))
    if not is_dense and len(keys) > MOST_COMPARISONS:
        raise SourceError(
            f"The table of {node.name} has {len(keys):,} keys spread over {entries:,} integers: "
            f"at most {MOST_COMPARISONS:,} can be compared one by one. Number them densely."
        )
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(keys.dtype, name="values")
        other = tf.compat.v1.placeholder(found.dtype, (), name="default")
        if is_dense:
            result = _gathered(x, other, keys, found, low, high)
        else:
            result = _compared(x, other, keys, found)
        tf.identity(result, name="result")
    _insert(graph_def, node, graph.as_graph_def(), {"values": values, "default": default})


def _gathered(x: Any, default: Any, keys: Array, found: Array, low: int, high: int) -> Any:
    """Look up by position: one entry more at each end, for all values that lie beyond it."""
    known = np.zeros(high - low + 3, bool)
    table = np.zeros(high - low + 3, found.dtype)
    known[keys - low + 1], table[keys - low + 1] = True, found
    place = tf.cast(tf.clip_by_value(x, low - 1, high + 1) - (low - 1), tf.int32)
    return tf.where(tf.gather(known, place), tf.gather(table, place), default)


def _compared(x: Any, default: Any, keys: Array, found: Array) -> Any:
    hits = tf.equal(tf.expand_dims(x, -1), keys)
    value = tf.reduce_sum(tf.where(hits, found, np.zeros_like(found)), axis=-1)
    return tf.where(tf.reduce_any(hits, axis=-1), value, default)


def _insert(graph_def: Any, node: Any, part: Any, feeds: Mapping[str, str]) -> None:
    """Put the nodes of `part` in the place of `node`. feeds: what its placeholders stand for."""
    prefix = node.name
    for source in part.node:
        if source.op == "Placeholder":
            continue
        copy = graph_def.node.add()
        copy.CopyFrom(source)
        copy.name = f"{prefix}/{source.name}"
        copy.input[:] = [
            feeds.get(name.partition(":")[0]) or f"{prefix}/{name}" for name in source.input
        ]
    # The node itself passes the result on, under the name that the others read.
    dtype = node.attr["Tout"].type
    node.op = "Identity"
    node.ClearField("attr")
    node.attr["T"].type = dtype
    node.input[:] = [f"{prefix}/result"]
