"""Resizing, by TensorFlow's own operators where one of them does the same.

What an axis becomes is a matrix: onnxruntime says it, on the unit matrix. TensorFlow's three ways
are such matrices too, and comparing them says which one it is, whatever the attributes are called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
from onnx import helper, numpy_helper

from edgekit_converters.sources.onnx.node import Node
from edgekit_converters.sources.onnx.ops import operator
from edgekit_converters.sources.onnx.value import Free, Order, Value, channels_last
from edgekit_runtimes.tensors import Array, Arrays

# Since then Resize takes a region, scales and sizes.
REGION_OPSET = 11
OLD_OPSET = 10
ALIKE = 1e-4
IMAGE_RANK = 4
NOTHING = 4


@operator("Resize", "Upsample")
def resize(node: Node) -> Value:
    """Along each axis that changes; the region of tf_crop_and_resize is the whole."""
    value = node[0]
    mode = node.get("mode", "nearest")
    if node.get("coordinate_transformation_mode") == "tf_crop_and_resize":
        raise node.refusal("it cuts a region out (tf_crop_and_resize)")
    scales = _scales(node)
    changed = [
        axis
        for axis, (before, after) in enumerate(zip(value.sizes, node.sizes[0], strict=True))
        if before != after or scales[axis] not in (None, 1.0)
    ]
    if any(isinstance(value.sizes[axis], Free) for axis in changed):
        raise node.refusal("it changes the batch")
    matrices = {axis: _matrix(node, value, axis, scales[axis]) for axis in changed}
    if mode != "cubic" and set(changed) <= {2, 3} and value.rank == IMAGE_RANK:
        order = channels_last(IMAGE_RANK)
        found = _by_tensorflow(node, value.tensor(order), matrices, mode)
        if found is not None:
            return node.value(found, order)
    return _by_matrices(node, value, matrices, mode)


def _scales(node: Node) -> list[float | None]:
    """Return the factor of each axis; None where the sizes say it."""
    value = node[0]
    place = 1 if node.op == "Upsample" or node.opset < REGION_OPSET else 2
    given = node.maybe(place)
    if given is not None and given.array is None:
        raise node.refusal("its scales are computed from the inputs")
    if given is None or given.array is None:
        numbers = node.get("scales")
    else:
        numbers = [float(number) for number in given.array]
    if not numbers:
        return [None] * value.rank
    axes = node.get("axes") or range(value.rank)
    found: list[float | None] = [1.0] * value.rank
    for axis, number in zip(axes, numbers, strict=True):
        found[axis % value.rank] = number
    return found


def _matrix(node: Node, value: Value, axis: int, scale: float | None) -> Array:
    """Return what an axis becomes, [before, after], as onnxruntime computes it."""
    before, after = node.fixed((value.sizes[axis], node.sizes[0][axis]), "its size")
    attributes = {
        key: text
        for key, text in node.attributes.items()
        if key not in ("axes", "scales", "keep_aspect_ratio_policy")
    }
    name, opset = (node.op, node.opset) if node.op == "Resize" else ("Resize", OLD_OPSET)
    inputs = ["x"]
    factors = np.array([1, 1, 1 if scale is None else scale, 1], np.float32)
    constants: Arrays = {"scales": factors}
    if opset >= REGION_OPSET:
        inputs += ["", "scales"] if scale is not None else ["", "", "sizes"]
        if scale is None:
            constants = {"sizes": np.array([before, 1, after, 1], np.int64)}
    else:
        inputs.append("scales")
        if scale is None:
            raise node.refusal("it has no scales")
    made = helper.make_node(name, inputs, ["y"], **attributes)
    graph = helper.make_graph(
        [made],
        "axis",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [before, 1, before, 1])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, key) for key, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = NOTHING
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    unit = np.eye(before, dtype=np.float32)[:, None, :, None]
    found: Array = session.run(None, {"x": unit})[0][:, 0, :, 0]
    return found


def _positions(before: int, after: int, corners: bool, half: bool) -> Array:
    if corners and after > 1:
        return np.arange(after) * ((before - 1) / (after - 1))
    scale = before / after
    return (np.arange(after) + 0.5) * scale - 0.5 if half else np.arange(after) * scale


def _linear(before: int, after: int, corners: bool, half: bool) -> Array:
    """Return the matrix of TensorFlow's bilinear resize."""
    positions = _positions(before, after, corners, half)
    low = np.floor(positions)
    share = positions - low
    matrix = np.zeros((before, after), np.float32)
    for column, (start, part) in enumerate(zip(low.astype(int), share, strict=True)):
        matrix[np.clip(start, 0, before - 1), column] += 1 - part
        matrix[np.clip(start + 1, 0, before - 1), column] += part
    return matrix


def _nearest(before: int, after: int, corners: bool, half: bool) -> Array:
    """Return the matrix of TensorFlow's resize to the nearest neighbour."""
    if half:
        places = np.floor((np.arange(after) + 0.5) * (before / after))
    else:
        positions = _positions(before, after, corners, False)
        places = np.floor(positions + 0.5) if corners else np.floor(positions)
    matrix = np.zeros((before, after), np.float32)
    matrix[places.astype(int).clip(0, before - 1), np.arange(after)] = 1
    return matrix


WAYS = ((False, False), (False, True), (True, False))


def _by_tensorflow(node: Node, x: Any, matrices: dict[int, Array], mode: str) -> Any | None:
    """Return what TensorFlow's operator makes, or None where none of its three ways is this one."""
    own: Callable[[int, int, bool, bool], Array] = _nearest if mode == "nearest" else _linear
    after = node.fixed(node.sizes[0][2:], "its size")
    for corners, half in WAYS:
        if all(
            np.abs(own(matrix.shape[0], matrix.shape[1], corners, half) - matrix).max() <= ALIKE
            for matrix in matrices.values()
        ):
            function = (
                tf.raw_ops.ResizeNearestNeighbor if mode == "nearest" else tf.raw_ops.ResizeBilinear
            )
            return function(
                images=x,
                size=np.array(after, np.int32),
                align_corners=corners,
                half_pixel_centers=half,
            )
    return None


def _by_matrices(node: Node, value: Value, matrices: dict[int, Array], mode: str) -> Value:
    """Return the result axis by axis: picked numbers, or a product with the axis's matrix."""
    x, order = value.own, value.order
    for axis, matrix in matrices.items():
        if mode == "nearest":
            x = tf.gather(x, matrix.argmax(0).astype(np.int32), axis=order.index(axis))
        else:
            last: Order = (*(other for other in order if other != axis), axis)
            if last != order:
                x = tf.transpose(x, [order.index(other) for other in last])
            before = [-1 if size is None else size for size in x.shape[:-1]]
            rows = tf.reshape(x, [-1, matrix.shape[0]])
            product = tf.matmul(rows, tf.constant(matrix.astype(value.dtype)))
            x = tf.reshape(product, [*before, matrix.shape[1]])
            order = last
    return node.value(tf.identity(x) if x is value.own else x, order)
