"""ONNX files in onnxruntime, judged by numpy."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgekit_runtimes.engines import onnxruntime
from edgekit_runtimes.errors import EngineError
from edgekit_runtimes.tensors import TensorSpec

FLOAT = TensorProto.FLOAT


def write_onnx(
    path: Path,
    nodes: Sequence[Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    constants: Sequence[Any] = (),
) -> Path:
    graph = helper.make_graph(nodes, "g", inputs, outputs, constants)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def tensor(name: str, shape: Sequence[int | str], dtype: int = FLOAT) -> Any:
    return helper.make_tensor_value_info(name, dtype, shape)


def two_in_two_out(path: Path) -> Path:
    """zone = x @ [[0..3], ...] and age = meta * x[:, :1], in an order that is not alphabetical."""
    weights = helper.make_tensor("w", FLOAT, [4, 3], range(12))
    return write_onnx(
        path,
        [
            helper.make_node("MatMul", ["x", "w"], ["zone"]),
            helper.make_node("ReduceSum", ["x"], ["sum"]),
            helper.make_node("Mul", ["meta", "sum"], ["age"]),
        ],
        [tensor("x", ["batch", 4]), tensor("meta", ["batch", 1])],
        [tensor("zone", ["batch", 3]), tensor("age", ["batch", 1])],
        [weights],
    )


def test_inputs_and_outputs_have_the_names_of_the_graph(tmp_path: Path) -> None:
    model = onnxruntime.load(two_in_two_out(tmp_path / "a.onnx"), {})
    assert model.inputs == (
        TensorSpec("x", (None, 4), "float32"),
        TensorSpec("meta", (None, 1), "float32"),
    )
    assert [spec.name for spec in model.outputs] == ["zone", "age"]
    x = np.array([[1, 2, 3, 4]], np.float32)
    outputs = model.run({"meta": np.array([[2]], np.float32), "x": x})
    assert outputs["zone"].tolist() == (x @ np.arange(12).reshape(4, 3)).tolist()
    assert outputs["age"].tolist() == [[20]]


def test_a_free_batch_takes_the_size_of_the_sample(tmp_path: Path) -> None:
    model = onnxruntime.load(two_in_two_out(tmp_path / "a.onnx"), {})
    for batch in (3, 1):
        x = np.ones((batch, 4), np.float32)
        outputs = model.run({"x": x, "meta": np.ones((batch, 1), np.float32)})
        assert outputs["zone"].shape == (batch, 3)


def test_a_bound_call_gives_the_outputs_of_its_inputs(tmp_path: Path) -> None:
    model = onnxruntime.load(two_in_two_out(tmp_path / "a.onnx"), {"threads": 2})
    inputs = {"x": np.ones((1, 4), np.float32), "meta": np.ones((1, 1), np.float32)}
    zone, age = model.bind(inputs)()  # type: ignore[misc]
    assert zone.tolist() == model.run(inputs)["zone"].tolist()
    assert age.tolist() == [[4]]


@pytest.mark.parametrize("shape", [(), (2, 3)])
def test_integers_and_scalars_stay_as_they_are(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = write_onnx(
        tmp_path / "a.onnx",
        [helper.make_node("Add", ["x", "x"], ["y"])],
        [tensor("x", shape, TensorProto.INT64)],
        [tensor("y", shape, TensorProto.INT64)],
    )
    model = onnxruntime.load(path, {})
    assert model.inputs == (TensorSpec("x", shape, "int64"),)
    y = model.run({"x": np.full(shape, 2**40, np.int64)})["y"]
    assert y.dtype == np.int64
    assert y.shape == shape
    assert (y == 2**41).all()


# onnxruntime 1.31 does so where the CPU multiplies bytes: not on a Cortex-A53 or A72, which have no
# dot product instructions ("asimddp").
HAS_INT8 = platform.machine() == "x86_64" or "asimddp" in Path("/proc/cpuinfo").read_text()
BY_DEFAULT = (1e-2, 1) if HAS_INT8 else (0, 1e-4)


@pytest.mark.parametrize(("option", "error"), [(True, (0, 1e-4)), (False, BY_DEFAULT)])
def test_without_the_option_int8_weights_make_activations_int8_too(
    tmp_path: Path, option: bool, error: tuple[float, float]
) -> None:
    weights = np.random.default_rng(0).integers(-127, 128, (64, 32)).astype(np.int8)
    path = write_onnx(
        tmp_path / "a.onnx",
        [
            helper.make_node("DequantizeLinear", ["w8", "scale"], ["w"]),
            helper.make_node("MatMul", ["x", "w"], ["y"]),
        ],
        [tensor("x", ["batch", 64])],
        [tensor("y", ["batch", 32])],
        [
            helper.make_tensor("w8", TensorProto.INT8, [64, 32], weights.tobytes(), raw=True),
            helper.make_tensor("scale", FLOAT, [], [0.01]),
        ],
    )
    x = np.random.default_rng(1).standard_normal((1, 64), np.float32)
    model = onnxruntime.load(path, {"disable_quant_qdq": option})
    expected = x @ (weights * np.float32(0.01))
    assert error[0] <= np.abs(model.run({"x": x})["y"] - expected).max() < error[1]


def test_a_damaged_file_is_reported_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no protobuf at all")
    with pytest.raises(EngineError, match=r"onnxruntime cannot load .*broken\.onnx: .*INVALID"):
        onnxruntime.load(tmp_path / "broken.onnx", {})


def test_a_sample_of_a_wrong_shape_is_an_error_of_the_engine(tmp_path: Path) -> None:
    model = onnxruntime.load(two_in_two_out(tmp_path / "a.onnx"), {})
    inputs = {"x": np.ones((1, 5), np.float32), "meta": np.ones((1, 1), np.float32)}
    with pytest.raises(EngineError, match=r"onnxruntime cannot run .*a\.onnx: .*INVALID_ARGUMENT"):
        model.run(inputs)


def test_a_model_that_gives_no_tensor_is_refused(tmp_path: Path) -> None:
    path = write_onnx(
        tmp_path / "a.onnx",
        [helper.make_node("ZipMap", ["x"], ["y"], domain="ai.onnx.ml", classlabels_int64s=[0, 1])],
        [tensor("x", [1, 2])],
        [
            helper.make_value_info(
                "y",
                helper.make_sequence_type_proto(
                    helper.make_map_type_proto(
                        TensorProto.INT64, helper.make_tensor_type_proto(FLOAT, [])
                    )
                ),
            )
        ],
    )
    with pytest.raises(EngineError, match=r"'y' is a seq\(map.* tensors of numbers only"):
        onnxruntime.load(path, {})


def test_string_inputs_are_refused(tmp_path: Path) -> None:
    path = write_onnx(
        tmp_path / "a.onnx",
        [helper.make_node("Identity", ["x"], ["y"])],
        [tensor("x", [1], TensorProto.STRING)],
        [tensor("y", [1], TensorProto.STRING)],
    )
    with pytest.raises(EngineError, match=r"'x' is a tensor\(string\)"):
        onnxruntime.load(path, {})
