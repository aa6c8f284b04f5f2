"""Small artifacts of every format for tests that need some but no conversion by edgekit.

All take x: float32 [1, 64] and give class: float32 [1, 10]; the weights are the same in all
formats.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tfjs_by_hand import node
from tfjs_by_hand import write_tfjs as write_graph

from edgekit_runtimes.tensors import Array

FEATURES, HIDDEN, CLASSES = 64, 256, 10


def weights() -> tuple[Array, Array]:
    """Return the two kernels, always the same."""
    generator = np.random.default_rng(1)
    first = generator.standard_normal((FEATURES, HIDDEN)).astype(np.float32) / 8
    second = generator.standard_normal((HIDDEN, CLASSES)).astype(np.float32) / 16
    return first, second


def inputs(count: int) -> Array:
    """Return samples: standard normal, the same every time."""
    return np.random.default_rng(2).standard_normal((count, FEATURES)).astype(np.float32)


def answers(samples: Array) -> Array:
    """Return what the model gives for samples, worked out in numpy."""
    first, second = weights()
    return np.asarray(np.maximum(samples @ first, 0) @ second)


def write_tflite(path: Path, quantized: bool = False, deadly: bool = False) -> Path:
    """Write the model as TFLite; `quantized`: dynamic int8; `deadly`: see write_onnx."""
    import tensorflow as tf

    first, second = weights()

    class Dense(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = tf.Variable(first), tf.Variable(second)

        @tf.function(input_signature=[tf.TensorSpec((1, FEATURES), tf.float32, name="x")])
        def serve(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
            result = tf.nn.relu(x @ self.first) @ self.second
            if deadly:
                zero = tf.cast(result, tf.int32) * 0
                result += tf.cast(tf.math.floormod(zero - 2**31, zero - 1), tf.float32)
            return {"class": result}

    module = Dense()
    folder = path.with_suffix(".saved_model")
    tf.saved_model.save(module, str(folder), signatures=module.serve)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    if quantized:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    path.write_bytes(converter.convert())
    return path


def write_onnx(path: Path, deadly: bool = False) -> Path:
    """Write the model as ONNX.

    deadly: it computes -2147483648 modulo -1, which x86 answers with signal 8; no engine guards
    against it.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    first, second = weights()
    nodes = [
        helper.make_node("MatMul", ["x", "first"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node("MatMul", ["active", "second"], ["sum" if deadly else "class"]),
    ]
    constants = [numpy_helper.from_array(first, "first"), numpy_helper.from_array(second, "second")]
    if deadly:
        nodes += [
            helper.make_node("Cast", ["sum"], ["whole"], to=TensorProto.INT32),
            helper.make_node("Sub", ["whole", "whole"], ["zero"]),
            helper.make_node("Add", ["zero", "lowest"], ["dividend"]),
            helper.make_node("Add", ["zero", "minus_one"], ["divisor"]),
            helper.make_node("Mod", ["dividend", "divisor"], ["rest"]),
            helper.make_node("Cast", ["rest"], ["class"], to=TensorProto.FLOAT),
        ]
        constants += [
            numpy_helper.from_array(np.array([-(2**31)], np.int32), "lowest"),
            numpy_helper.from_array(np.array([-1], np.int32), "minus_one"),
        ]
    graph = helper.make_graph(
        nodes,
        "dense",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, FEATURES])],
        [helper.make_tensor_value_info("class", TensorProto.FLOAT, [1, CLASSES])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return path


def write_tfjs(folder: Path) -> Path:
    """Write the model as a TF.js folder."""
    first, second = weights()
    return write_graph(
        folder,
        [
            node("hidden", "MatMul", "x", "first", T="float32"),
            node("active", "Relu", "hidden", T="float32"),
            node("class", "MatMul", "active", "second", T="float32"),
        ],
        {"x": ([1, FEATURES], "float32")},
        {"class": ([1, CLASSES], "float32")},
        {"first": first, "second": second},
    )


def write_doubling_onnx(path: Path) -> Path:
    """Write y = 2 x for x: float32 [1, 3] as ONNX: what the models of numpy_engine.py compute."""
    import onnx
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        "double",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path
    )
    return path
