"""TFLite files in LiteRT, judged by TensorFlow or by arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import int8_samples
from tflite_by_hand import write_recurrent, write_reordered

from edgekit_runtimes.engines import litert
from edgekit_runtimes.errors import EngineError
from edgekit_runtimes.tensors import TensorSpec

Convert = Callable[..., Path]
Graphs = Callable[[str], Any]


def test_inputs_and_outputs_have_the_names_of_the_signature(
    tflite_files: Convert, graphs: Graphs, samples_file: Callable[[str], Path]
) -> None:
    model = litert.load(tflite_files("two_in_two_out"), {})
    assert {spec.name: spec.shape for spec in model.inputs} == {
        "image": (None, 16, 16, 3),
        "meta": (None, 5),
    }
    assert {spec.name: spec.shape for spec in model.outputs} == {
        "age": (None, 1),
        "zone": (None, 3),
    }
    samples = np.load(samples_file("two_in_two_out"))
    inputs = {name: array[:1] for name, array in samples.items()}
    expected = graphs("two_in_two_out").run(inputs)
    outputs = model.run(inputs)
    assert outputs.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_allclose(outputs[name], array, atol=1e-5)


def test_outputs_are_told_apart_by_name_where_the_file_lists_them_otherwise(
    tmp_path: Path,
) -> None:
    write_reordered(tmp_path / "a.tflite")
    model = litert.load(tmp_path / "a.tflite", {})
    outputs = model.run({"x": np.array([[1, -2]], np.float32)})
    assert outputs["negative"].tolist() == [[-1, 2]]
    assert outputs["same"].tolist() == [[1, -2]]


def test_a_file_without_a_signature_goes_by_the_names_of_its_tensors(tmp_path: Path) -> None:
    write_recurrent(tmp_path / "a.tflite")
    model = litert.load(tmp_path / "a.tflite", {})
    assert model.inputs == (TensorSpec("x", (1, 2), "float32"),)
    assert model.outputs == (TensorSpec("y", (1, 2), "float32"),)


def test_a_free_batch_takes_the_size_of_the_sample(tflite_files: Convert, graphs: Graphs) -> None:
    model = litert.load(tflite_files("conv_net"), {})
    name = model.outputs[0].name
    images = int8_samples()[:4]
    expected = graphs("conv_net").run({"image": images})[name]
    for batch in (images, images[:1], images[:3]):
        outputs = model.run({"image": batch})[name]
        np.testing.assert_allclose(outputs, expected[: len(batch)], atol=1e-5)


def test_a_free_image_size_takes_the_size_of_the_sample(tmp_path: Path) -> None:
    import models
    import tensorflow as tf

    source = models.any_size_net()
    source.export(tmp_path / "saved", verbose=False)
    converted = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "saved")).convert()
    (tmp_path / "any.tflite").write_bytes(converted)
    model = litert.load(tmp_path / "any.tflite", {})
    assert model.inputs[0].shape == (None, None, None, 3)
    name = model.outputs[0].name
    for height, width in ((8, 11), (5, 4)):
        image = np.random.default_rng(0).standard_normal((1, height, width, 3), np.float32)
        expected = source(image).numpy()
        np.testing.assert_allclose(model.run({"image": image})[name], expected, atol=1e-5)


def test_a_size_that_the_file_fixes_cannot_change(tflite_files: Convert) -> None:
    model = litert.load(tflite_files("conv_net"), {})
    with pytest.raises(EngineError, match=r"litert cannot run .*conv_net\.tflite: "):
        model.run({"image": np.zeros((1, 30, 28, 1), np.float32)})


def test_integer_inputs_and_outputs_stand_for_real_numbers(
    tflite_files: Convert, graphs: Graphs
) -> None:
    model = litert.load(tflite_files("conv_net", int8=True), {})
    (source,), (target,) = model.inputs, model.outputs
    assert (source.dtype, target.dtype) == ("int8", "int8")
    assert source.quantization is not None
    assert target.quantization is not None
    images = int8_samples()[:8]
    expected = graphs("conv_net").run({"image": images})[target.name]
    outputs = np.concatenate([model.run({"image": image[None]})[target.name] for image in images])
    assert outputs.dtype == np.float32
    # Steps of the output's own scale: int8 in every layer costs a few of them.
    assert np.abs(outputs - expected).max() <= 8 * target.quantization[0]
    assert np.unique(outputs).size > 20


def test_integers_of_the_inputs_dtype_pass_unchanged(tflite_files: Convert) -> None:
    model = litert.load(tflite_files("conv_net", int8=True), {})
    assert model.inputs[0].quantization is not None
    scale, zero_point = model.inputs[0].quantization
    name = model.outputs[0].name
    integers = np.random.default_rng(1).integers(-128, 128, (1, 28, 28, 1)).astype(np.int8)
    reals = ((integers.astype(np.float32)) - zero_point) * np.float32(scale)
    np.testing.assert_array_equal(
        model.run({"image": integers})[name], model.run({"image": reals})[name]
    )


def test_a_bound_call_gives_the_outputs_of_its_inputs(tflite_files: Convert) -> None:
    model = litert.load(tflite_files("conv_net"), {})
    name = model.outputs[0].name
    for image in int8_samples()[:3]:
        call = model.bind({"image": image[None]})
        call()
        (read,) = call()  # type: ignore[misc]
        np.testing.assert_array_equal(read, model.run({"image": image[None]})[name])


def test_the_state_of_one_sample_does_not_reach_the_next(tmp_path: Path) -> None:
    write_recurrent(tmp_path / "a.tflite")
    model = litert.load(tmp_path / "a.tflite", {})
    for _ in range(3):
        assert model.run({"x": np.array([[1, 2]], np.float32)})["y"].tolist() == [[1, 2]]


def test_threads_reach_the_interpreter(tflite_files: Convert) -> None:
    two = litert.load(tflite_files("conv_net"), {"threads": 2})
    one = litert.load(tflite_files("conv_net"), {})
    image = {"image": int8_samples()[:1]}
    name = one.outputs[0].name
    np.testing.assert_allclose(two.run(image)[name], one.run(image)[name], atol=1e-6)
    with pytest.raises(EngineError, match="num_threads should >= 1"):
        litert.load(tflite_files("conv_net"), {"threads": 0})


def test_a_truncated_file_is_reported_with_its_name(tflite_files: Convert, tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(tflite_files("conv_net").read_bytes()[:1000])
    with pytest.raises(EngineError, match=r"litert cannot load .*broken\.tflite: .*Flatbuffer"):
        litert.load(broken, {})


def test_an_empty_file_is_reported_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "empty.tflite").touch()
    with pytest.raises(EngineError, match=r"litert cannot load .*empty\.tflite: "):
        litert.load(tmp_path / "empty.tflite", {})


def test_the_version_is_that_of_the_distribution() -> None:
    assert int(litert.version().split(".")[0]) >= 2
