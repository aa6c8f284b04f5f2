"""Files of Keras 2, written by tf_keras: each answers as it did there, or says why not."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers

from edgekit_converters.sources import SourceOptions, load_source
from edgekit_runtimes.errors import SourceError
from edgekit_runtimes.tensors import Arrays

FORMS = ("net.h5", "net.keras", "net")
UNSAFE = SourceOptions(input_shapes={}, unsafe=True)
IMAGE: Arrays = {"image": np.linspace(-1, 1, 864, dtype=np.float32).reshape(2, 12, 12, 3)}

CUSTOM = """
import tf_keras

@tf_keras.utils.register_keras_serializable("mine")
class Triple(tf_keras.layers.Layer):
    def call(self, x):
        return x * 3
"""


def check_answers(path: Path, inputs: Arrays, expected: Arrays) -> None:
    """Assert that what was loaded and its frozen graph both give the expected outputs."""
    source = load_source(path)
    for found in (source.run(inputs), source.graph.run(inputs)):
        assert list(found) == list(expected)
        for name, array in expected.items():
            np.testing.assert_allclose(found[name], array, atol=1e-5)


@pytest.fixture(scope="module")
def mobile_net(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Arrays]:
    """A net with what Keras 3 does not read or reads otherwise, trained by an old optimizer."""
    tf_keras.utils.set_random_seed(0)
    x = layers.Input((12, 12, 3), name="image")
    y = layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same")(x))
    y = layers.SeparableConv2D(4, 3, activation="hard_sigmoid")(layers.ReLU(6.0)(y))
    y = layers.GlobalAveragePooling2D()(tf.nn.relu(y * 2.0 - 0.5))
    model = tf_keras.Model(x, layers.Dense(5, activation="softmax", name="class")(y))
    model.compile(tf_keras.optimizers.legacy.Adam(), "mse")
    model.fit(IMAGE["image"], np.eye(5, dtype=np.float32)[:2], verbose=0)
    folder = tmp_path_factory.mktemp("keras_2")
    for form in FORMS:
        model.save(folder / form)
    return folder, {"class": model(IMAGE["image"], training=False).numpy()}


@pytest.mark.parametrize("form", FORMS)
def test_a_trained_net_of_keras_2_answers_as_it_did_there(
    mobile_net: tuple[Path, Arrays], form: str
) -> None:
    folder, expected = mobile_net
    check_answers(folder / form, IMAGE, expected)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_a_recurrent_net_of_keras_2_answers_as_it_did_there(tmp_path: Path, kind: str) -> None:
    tf_keras.utils.set_random_seed(1)
    layer = getattr(layers, kind)(4, dropout=0.2, recurrent_activation="hard_sigmoid")
    model = tf_keras.Sequential([layers.Input((7, 5), name="steps"), layer])
    model.save(tmp_path / "net.h5")
    steps: Arrays = {"steps": np.linspace(-3, 3, 35, dtype=np.float32).reshape(1, 7, 5)}
    answer = model(steps["steps"], training=False).numpy()
    check_answers(tmp_path / "net.h5", steps, {layer.name: answer})


def test_several_inputs_and_outputs_of_keras_2_keep_their_names(tmp_path: Path) -> None:
    left, right = layers.Input((2,), name="left"), layers.Input((2,), name="right")
    total, half = layers.Add(name="total")([left, right]), layers.Rescaling(0.5, name="half")(left)
    inputs: Arrays = {"left": np.float32([[1, 2]]), "right": np.float32([[10, 20]])}
    expected: Arrays = {"total": np.float32([[11, 22]]), "half": np.float32([[0.5, 1]])}
    tf_keras.Model([left, right], [total, half]).save(tmp_path / "list.h5")
    check_answers(tmp_path / "list.h5", inputs, expected)
    names = {"a": half, "b": total}
    tf_keras.Model({"left": left, "right": right}, names).save(tmp_path / "dict.keras")
    expected = {"a": expected["half"], "b": expected["total"]}
    check_answers(tmp_path / "dict.keras", inputs, expected)


@pytest.mark.parametrize("form", ["net.h5", "net.keras"])
def test_a_lambda_layer_of_keras_2_is_read_on_the_user_s_word_alone(
    tmp_path: Path, form: str
) -> None:
    inner = tf_keras.Sequential([layers.Lambda(lambda t: t * 2, input_shape=(4,))], name="inner")
    x = layers.Input((4,), name="x")
    tf_keras.Model(x, inner(x)).save(tmp_path / form)
    with pytest.raises(SourceError) as raised:
        load_source(tmp_path / form)
    assert str(raised.value) == (
        f"{tmp_path / form} holds a Lambda layer, whose code would run on this machine when the "
        "model is loaded. If you trust the file, allow it with --unsafe; better, replace the layer "
        "by keras.ops and save the model again."
    )
    array = np.float32([[1, 2, 3, 4]])
    found = load_source(tmp_path / form, UNSAFE).run({"x": array})
    np.testing.assert_array_equal(found["inner"], 2 * array)


def test_a_custom_class_of_keras_2_is_registered_by_an_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: dict[str, Any] = {}
    exec(CUSTOM, names)
    x = layers.Input((4,), name="x")
    for form in ("net.h5", "net.keras"):
        tf_keras.Model(x, names["Triple"](name="y")(x)).save(tmp_path / form)
    del tf_keras.utils.get_custom_objects()["mine>Triple"]
    for form in ("net.h5", "net.keras"):
        with pytest.raises(SourceError) as raised:
            load_source(tmp_path / form)
        assert str(raised.value) == (
            f"{tmp_path / form} holds the custom class or function 'Triple', which is not "
            "registered here. Keras 2 wrote the file: name the module that registers it "
            "(@tf_keras.utils.register_keras_serializable) with --import MODULE, or bring the "
            "model as a SavedModel: model.save('folder')."
        )
    (tmp_path / "my_triple.py").write_text(CUSTOM)
    monkeypatch.syspath_prepend(tmp_path)
    options = SourceOptions(input_shapes={}, imports=("my_triple",))
    array = np.float32([[1, 2, 3, 4]])
    for form in ("net.h5", "net.keras"):
        found = load_source(tmp_path / form, options).run({"x": array})
        np.testing.assert_array_equal(found["y"], 3 * array)


def edited_archive(path: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    """Write a .keras file of Keras 2 with a dense layer, whose configuration is edited."""
    x = layers.Input((4,), name="x")
    tf_keras.Model(x, layers.Dense(2, name="y")(x)).save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    edit(config["config"]["layers"][1])
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("call", "subprocess"),
        ("exec", "builtins"),
        ("get_file", "keras.utils"),
        ("get_file", "keras.src.utils.data_utils"),
    ],
)
def test_a_file_of_keras_2_imports_nothing_but_layers(
    tmp_path: Path, name: str, module: str
) -> None:
    function = {"class_name": "function", "config": name, "module": module, "registered_name": name}

    def edit(layer: dict[str, Any]) -> None:
        layer["config"]["activation"] = function

    with pytest.raises(SourceError, match=f"custom class or function '{name}'"):
        load_source(edited_archive(tmp_path / "net.keras", edit))


def test_a_function_of_tensorflow_that_writes_files_is_refused(tmp_path: Path) -> None:
    x = layers.Input((4,), name="x")
    tf_keras.Model(x, tf.math.multiply(x, 2.0)).save(tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5", "a") as file:
        config = file.attrs["model_config"].replace("math.multiply", "io.write_file")
        file.attrs["model_config"] = config
    with pytest.raises(SourceError, match=r"TFOpLambda layer, which calls tf\.io\.write_file: "):
        load_source(tmp_path / "net.h5")


def test_a_file_that_tf_keras_cannot_read_either_says_who_wrote_it(tmp_path: Path) -> None:
    x = layers.Input((4,), name="x")
    tf_keras.Model(x, layers.Dense(2)(x)).save(tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5", "a") as file:
        file.attrs["keras_version"] = "1.2.2"
        file.attrs["model_config"] = file.attrs["model_config"].replace('"units"', '"output_dim"')
    with pytest.raises(SourceError, match=r"read as a model of Keras 1\.2\.2, by tf_keras 2"):
        load_source(tmp_path / "net.h5")
