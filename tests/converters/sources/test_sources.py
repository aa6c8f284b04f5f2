"""Sources: each kind is read, named and frozen so that it answers as the model did."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import models
import numpy as np
import pytest
import sources_on_disk as disk
from keras import layers

from edgekit_converters.sources import Source, SourceOptions, load_source, source_kind
from edgekit_runtimes.errors import UsageError
from edgekit_runtimes.tensors import Arrays

NETS = ("conv_net", "dense_net", "two_in_two_out", "recurrent_net")


def check_answers(source: Source, inputs: Arrays, expected: Arrays) -> None:
    """Assert that the original and its frozen graph both give the expected outputs."""
    for found in (source.run(inputs), source.graph.run(inputs)):
        assert list(found) == list(expected)
        for name, array in expected.items():
            np.testing.assert_allclose(found[name], array, atol=1e-5)


def answers_of(model: keras.Model, inputs: Arrays, *names: str) -> Arrays:
    """Return what a Keras model itself answers, its outputs named in their order."""
    values = list(inputs.values())
    results = model(values[0] if len(values) == 1 else values, training=False)
    flat = results if isinstance(results, list) else [results]
    return {name: np.asarray(array) for name, array in zip(names, flat, strict=True)}


def first(inputs: dict[str, Any], count: int) -> Arrays:
    return {name: array[:count] for name, array in inputs.items()}


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("conv_net", ["digit"]),
        ("dense_net", ["class"]),
        ("two_in_two_out", ["zone", "age"]),
        ("recurrent_net", ["class"]),
    ],
)
def test_a_keras_file_answers_by_name_as_the_model_did(
    tmp_path: Path, name: str, outputs: list[str], suffix: str
) -> None:
    model = getattr(models, name)()
    model.save(tmp_path / f"net.{suffix}")
    source = load_source(tmp_path / f"net.{suffix}")
    inputs = first(models.random_inputs(model), 1)
    check_answers(source, inputs, answers_of(model, inputs, *outputs))
    assert [spec.name for spec in source.graph.input_specs] == list(inputs)


@pytest.mark.parametrize("name", NETS)
def test_a_saved_model_of_model_export_answers_as_the_model_did(tmp_path: Path, name: str) -> None:
    model = getattr(models, name)()
    model.export(tmp_path / "saved", verbose=False)
    source = load_source(tmp_path / "saved")
    inputs = first(models.random_inputs(model), 1)
    # model.export numbers the outputs.
    outputs = [f"output_{number}" for number in range(len(model.outputs))]
    check_answers(source, inputs, answers_of(model, inputs, *outputs))
    assert source_kind(tmp_path / "saved").name == "saved_model"


def test_a_saved_model_of_tensorflow_answers_by_its_signature(tmp_path: Path) -> None:
    disk.write_saved_model(tmp_path / "saved", "product", "twice")
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    product = x @ np.arange(12, dtype=np.float32).reshape(4, 3)
    for name, output, expected in (("product", "y", product), ("twice", "z", 2 * product)):
        options = SourceOptions(input_shapes={}, signature=name)
        check_answers(load_source(tmp_path / "saved", options), {"x": x}, {output: expected})


def test_of_several_signatures_the_default_one_is_taken(tmp_path: Path) -> None:
    import tensorflow as tf

    module = disk.Functions()
    signatures = {"twice": module.twice, "serving_default": module.product}
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures=signatures)
    source = load_source(tmp_path / "saved")
    assert [spec.name for spec in source.graph.output_specs] == ["y"]


def test_a_subclassed_model_comes_as_a_saved_model(tmp_path: Path) -> None:
    class Net(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    model = Net()
    x = np.ones((1, 4), np.float32)
    expected = np.asarray(model(x))
    model.export(tmp_path / "saved", verbose=False)
    source = load_source(tmp_path / "saved")
    (spec,) = source.graph.input_specs
    check_answers(source, {spec.name: x}, {"output_0": expected})


def test_inputs_and_outputs_in_dicts_have_the_names_of_the_dicts(tmp_path: Path) -> None:
    left, right = keras.Input((2,), name="left"), keras.Input((2,), name="right")
    total = layers.Add()([left, 2 * right])
    model = keras.Model({"left": left, "right": right}, {"sum": total, "half": total / 2})
    model.save(tmp_path / "net.keras")
    source = load_source(tmp_path / "net.keras")
    inputs: Arrays = {"left": np.float32([[1, 2]]), "right": np.float32([[10, 20]])}
    expected: Arrays = {"half": np.float32([[10.5, 21]]), "sum": np.float32([[21, 42]])}
    check_answers(source, inputs, expected)


def test_outputs_of_one_layer_are_numbered(tmp_path: Path) -> None:
    steps = keras.Input((5, 3), name="steps")
    values, state = layers.GRU(4, return_state=True, name="gru")(steps)
    keras.Model(steps, [values, state]).save(tmp_path / "net.keras")
    source = load_source(tmp_path / "net.keras")
    assert [spec.name for spec in source.graph.output_specs] == ["gru_0", "gru_1"]


def test_names_hold_only_what_a_signature_may_hold(tmp_path: Path) -> None:
    x = keras.Input((3,), name="my input.1")
    keras.Model(x, layers.Dense(2, name="my-output")(x)).save(tmp_path / "net.keras")
    source = load_source(tmp_path / "net.keras")
    assert [spec.name for spec in source.graph.input_specs] == ["my_input_1"]
    assert [spec.name for spec in source.graph.output_specs] == ["my_output"]


def test_the_batch_stays_free_and_open_sizes_are_filled_in(
    saved_models: Callable[[str], Path],
) -> None:
    options = SourceOptions(input_shapes={"image": (1, 20, 24, 3)})
    source = load_source(saved_models("any_size_net"), options)
    assert source.graph.input_specs[0].shape == (None, 20, 24, 3)
    image = np.ones((2, 20, 24, 3), np.float32)
    assert source.run({"image": image})["class"].shape == (2, 4)


def test_a_recurrent_net_gets_batch_1_and_a_note(saved_models: Callable[[str], Path]) -> None:
    source = load_source(saved_models("recurrent_net"))
    assert source.graph.input_specs[0].shape == (1, 10, 6)
    assert "the batch is 1 in every artifact" in source.notes[0]
    assert not load_source(saved_models("dense_net")).notes


def test_a_lambda_layer_is_read_on_the_user_s_word(tmp_path: Path) -> None:
    disk.write_lambda(tmp_path / "net.keras")
    options = SourceOptions(input_shapes={}, unsafe=True)
    x = np.float32([[1, 2, 3, 4]])
    check_answers(load_source(tmp_path / "net.keras", options), {"x": x}, {"y": 2 * x})


@pytest.mark.parametrize(("name", "kind"), [("a.keras", "keras"), ("a.h5", "h5"), ("a.hdf5", "h5")])
def test_the_kind_of_a_file_is_in_its_suffix(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).touch()
    assert source_kind(tmp_path / name).name == kind


def test_importing_the_sources_imports_no_tensorflow() -> None:
    code = "import sys, edgekit_converters.sources; print(*{n.split('.')[0] for n in sys.modules})"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"tensorflow", "keras", "onnx"} & set(answer.stdout.split())


def test_a_shape_for_a_fixed_size_must_be_that_size(saved_models: Callable[[str], Path]) -> None:
    options = SourceOptions(input_shapes={"features": (1, 32)})
    with pytest.raises(UsageError, match=r"does not fit features: float32\[\?, 64\]"):
        load_source(saved_models("dense_net"), options)
