"""Operators that make tensors of sizes and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from onnx import numpy_helper

from edgekit_converters.sources.onnx.node import Node, numpy_dtype
from edgekit_converters.sources.onnx.ops import operator
from edgekit_converters.sources.onnx.value import Value


@operator("Constant")
def constant(node: Node) -> Value:
    """A value of any kind of attribute."""
    if "value" in node.attributes:
        return node.constant(numpy_helper.to_array(node.attributes["value"]))
    for name, dtype in (("value_float", "f4"), ("value_int", "i8")):
        for key in (name, f"{name}s"):
            if key in node.attributes:
                return node.constant(np.array(node.attributes[key], dtype))
    raise node.refusal("it holds text or a sparse tensor")


@operator("Shape")
def shape(node: Node) -> Value:
    """What of it is wanted at all depends on the batch: the rest is folded."""
    value = node[0]
    end = node.get("end")
    sizes = value.sizes[node.get("start", 0) : end]
    return node.value(tf.cast(node.batch.shape(sizes), tf.int64))


@operator("Size")
def size(node: Node) -> Value:
    """The number of elements."""
    return node.value(tf.size(node[0].own, tf.int64))


@operator("ConstantOfShape")
def constant_of_shape(node: Node) -> Value:
    """The same number everywhere."""
    tensor = node.get("value")
    number = np.float32(0) if tensor is None else numpy_helper.to_array(tensor).reshape(())
    return node.value(tf.fill(node.batch.shape(node.sizes[0]), number))


@operator("Range")
def range_(node: Node) -> Value:
    """Numbers in steps."""
    start, limit, delta = (node[place].plain for place in range(3))
    return node.value(tf.range(start, limit, delta))


@operator("EyeLike")
def eye_like(node: Node) -> Value:
    """Ones on a diagonal."""
    rows, columns = node.fixed(node[0].sizes, "its size")
    dtype: Any = numpy_dtype(node.get("dtype")) if node.get("dtype") else node[0].dtype
    return node.constant(np.eye(rows, columns, node.get("k", 0)).astype(dtype))
