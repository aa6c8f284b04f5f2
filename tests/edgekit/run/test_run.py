"""`edgekit run`: an artifact on the user's own samples."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
from conftest import Answer
from onnx import TensorProto, helper
from PIL import Image

from edgekit.bundle.bundle import load_bundle
from edgekit_runtimes.tensors import Array

Cli = Callable[..., Answer]
Bundles = Callable[..., Path]
SavedModels = Callable[[str], Path]


def original(model: Path, samples: Array) -> Array:
    """Return what the Keras model itself answers."""
    return np.asarray(keras.saving.load_model(model).predict(samples, verbose=0))


@pytest.mark.parametrize("path", ["tflite/fp32.tflite", "onnx/fp32.onnx"])
def test_outputs_are_those_of_the_original_by_name(
    cli: Cli,
    bundles: Bundles,
    saved_models: SavedModels,
    samples_file: SavedModels,
    tmp_path: Path,
    path: str,
) -> None:
    artifact = bundles("dense_net", "--to", "tflite,onnx", "--recipe", "fp32") / path
    answer = cli("run", artifact, "--input", samples_file("dense_net"), "-o", "out/y.npz")
    assert answer.exit_code == 0
    with np.load(tmp_path / "out" / "y.npz") as outputs:
        assert outputs.files == ["class"]
        assert outputs["class"].dtype == np.float32
        expected = original(
            saved_models("dense_net"), np.load(samples_file("dense_net"))["features"]
        )
        np.testing.assert_allclose(outputs["class"], expected, atol=1e-5)
    assert "class: float32[4], 16 samples\n" in answer.out
    assert "  … 8 more: write them all with -o Y.npz\n" in answer.out
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["y.npz"]


def test_the_five_likeliest_classes_are_shown_by_name(
    cli: Cli, saved_models: SavedModels, tmp_path: Path
) -> None:
    names = [f"digit {number}" for number in range(10)]
    (tmp_path / "names.txt").write_text("\n".join(names))
    samples = np.random.default_rng(0).uniform(0, 255, (3, 28, 28, 1)).astype(np.float32)
    np.savez(tmp_path / "x.npz", x=samples)
    words = ("--to", "onnx", "--recipe", "fp32", "--classes", "names.txt")
    cli("convert", saved_models("conv_net"), *words)
    answer = cli("run", "conv_net.edgekit/onnx/fp32.onnx", "--input", "x.npz", "--limit", "2")
    # The first two, in their order.
    lines = answer.out.splitlines()
    assert lines[0] == "digit: float32[10], 2 samples"
    assert len(lines) == 3
    scores = original(saved_models("conv_net"), samples[:2])
    for number, line in enumerate(lines[1:]):
        best = scores[number].argsort()[::-1][:5]
        words_of_line = line.split("  ")
        assert words_of_line[1] == str(number)
        assert [word.rsplit(" ", 1)[0] for word in words_of_line[2:]] == [names[i] for i in best]
        shown = [float(word.rsplit(" ", 1)[1].strip("()")) for word in words_of_line[2:]]
        np.testing.assert_allclose(shown, scores[number][best], rtol=0.01)


def test_without_class_names_the_first_values_are_shown(
    cli: Cli, bundles: Bundles, samples_file: SavedModels
) -> None:
    bundle = bundles("dense_net", "--to", "tflite,onnx", "--recipe", "fp32")
    words = ("--input", samples_file("dense_net"), "--limit", "1")
    answer = cli("run", bundle / "tflite/fp32.tflite", *words)
    values = [float(word) for word in answer.out.splitlines()[1].split()[1:]]
    assert len(values) == 4
    assert sum(values) == pytest.approx(1, abs=0.01)


def test_json_has_the_outputs_and_the_class_names(
    cli: Cli, bundles: Bundles, samples_file: SavedModels
) -> None:
    bundle = bundles("two_in_two_out", "--recipe", "fp32")
    words = ("--input", samples_file("two_in_two_out"), "--limit", "2", "--json")
    form = json.loads(cli("run", bundle / "tflite/fp32.tflite", *words).out)
    assert {name: np.shape(values) for name, values in form["outputs"].items()} == {
        "zone": (2, 3),
        "age": (2, 1),
    }
    assert form["classes"] == []


def test_the_preprocessing_of_the_bundle_is_done_for_arrays_and_for_images(
    cli: Cli, saved_models: SavedModels, tmp_path: Path
) -> None:
    image = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    (tmp_path / "photos").mkdir()
    Image.fromarray(image).save(tmp_path / "photos" / "a.png")
    np.savez(tmp_path / "x.npz", x=image[None, ..., None])
    words = ("--to", "tflite", "--recipe", "fp32", "--calibration", "photos", "--scale", "0.5")
    assert cli("convert", saved_models("conv_net"), *words).exit_code == 0
    artifact = "conv_net.edgekit/tflite/fp32.tflite"
    expected = load_bundle(tmp_path / "conv_net.edgekit").golden_outputs()["digit"]
    for data in ("photos", "x.npz"):
        assert cli("run", artifact, "--input", data, "-o", "y.npz").exit_code == 0
        np.testing.assert_allclose(np.load(tmp_path / "y.npz")["digit"], expected, atol=1e-5)
    # What the user says goes before what the bundle says.
    cli("run", artifact, "--input", "x.npz", "-o", "y.npz", "--scale", "0.25")
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(np.load(tmp_path / "y.npz")["digit"], expected, atol=1e-3)


def test_integer_inputs_are_fed_with_real_numbers(
    cli: Cli, bundles: Bundles, samples_file: SavedModels, tmp_path: Path
) -> None:
    bundle = bundles("dense_net", "--recipe", "fp32,int8", "--io", "int8")
    data = ("--input", samples_file("dense_net"), "-o", "y.npz")
    assert cli("run", bundle / "tflite/int8.tflite", *data).exit_code == 0
    outputs = np.load(tmp_path / "y.npz")["class"]
    expected = load_bundle(bundle).golden_outputs()["class"]
    assert outputs.dtype == np.float32
    np.testing.assert_allclose(outputs, expected, atol=0.05)


def test_an_artifact_outside_of_a_bundle_runs_too(
    cli: Cli, bundles: Bundles, samples_file: SavedModels, tmp_path: Path
) -> None:
    bundle = bundles("dense_net", "--to", "tflite,onnx", "--recipe", "fp32")
    shutil.copy(bundle / "onnx/fp32.onnx", tmp_path / "net.onnx")
    answer = cli("run", "net.onnx", "--input", samples_file("dense_net"), "-o", "y.npz")
    assert answer.exit_code == 0
    expected = load_bundle(bundle).golden_outputs()["class"]
    np.testing.assert_allclose(np.load(tmp_path / "y.npz")["class"], expected, atol=1e-5)


def test_an_output_may_have_the_name_of_an_argument_of_numpy_s(cli: Cli, tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["file"])],
        "negative",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("file", TensorProto.FLOAT, [None, 2])],
    )
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), tmp_path / "net.onnx")
    np.savez(tmp_path / "x.npz", x=np.float32([[1, 2], [3, 4]]))
    assert cli("run", "net.onnx", "--input", "x.npz", "-o", "y.npz").exit_code == 0
    assert np.load(tmp_path / "y.npz")["file"].tolist() == [[-1, -2], [-3, -4]]


def test_run_needs_no_tensorflow(bundles: Bundles, samples_file: SavedModels) -> None:
    bundle = bundles("dense_net", "--to", "tflite,onnx", "--recipe", "fp32")
    code = """
import sys
from edgekit.cli import run_command_line
assert run_command_line(sys.argv[1:]) == 0
print(*{name.split(".")[0] for name in sys.modules})
"""
    words = ["run", str(bundle / "onnx/fp32.onnx"), "--input", str(samples_file("dense_net"))]
    answer = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
    )
    assert not {"tensorflow", "keras", "onnx"} & set(answer.stdout.splitlines()[-1].split())
