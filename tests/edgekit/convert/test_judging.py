"""What is right: float models that compute something else, and where each goes wrong."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from conftest import Answer
from keras import layers

from edgekit.bundle.bundle import Bundle, load_bundle
from edgekit.convert.judging import HALF_NOTE

Cli = Callable[..., Answer]

FAILED = 3
FORMATS = ("tflite", "tfjs", "onnx")


def save(path: Path, inputs: object, outputs: object) -> Path:
    keras.Model(inputs, outputs).save(path)
    return path


def reasons(bundle: Bundle) -> dict[str, str | None]:
    return {row.id: row.reason for row in bundle.artifacts}


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """A net of three convolutions; the second one is called "middle"."""
    keras.utils.set_random_seed(0)
    x = keras.Input((12, 12, 3), name="x")
    y = layers.Conv2D(16, 3, activation="relu", name="first")(x)
    y = layers.Conv2D(16, 3, activation="relu", use_bias=False, name="middle")(y)
    y = layers.Conv2D(4, 3, name="last")(y)
    return save(tmp_path / "net.keras", x, layers.GlobalAveragePooling2D(name="y")(y))


@pytest.fixture
def written_wrongly(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the formats be written from a graph whose layer "middle" has other weights."""

    def altered(graph: Any) -> Any:
        constants = graph.constants()
        kernels = {name: 1.1 * value for name, value in constants.items() if value.ndim == 4}
        middle = {name: value for name, value in kernels.items() if value.shape[2:] == (16, 16)}
        assert len(middle) == 1
        return graph.with_constants({name: np.float32(value) for name, value in middle.items()})

    def alter(*formats: str) -> None:
        for name in formats:
            module = importlib.import_module(f"edgekit_converters.{name}.write")
            prepare = module.prepare
            monkeypatch.setattr(
                module, "prepare", lambda graph, prepare=prepare: prepare(altered(graph))
            )

    return alter


@pytest.mark.usefixtures("net")
def test_a_wrong_float_model_fails_with_its_first_wrong_tensor_and_takes_the_others_with_it(
    cli: Cli, tmp_path: Path, written_wrongly: Callable[..., None]
) -> None:
    written_wrongly(*FORMATS)
    answer = cli("convert", "net.keras", "--recipe", "int8-weights,fp32,int8-weights+prune50")
    assert answer.exit_code == FAILED
    assert "No artifact could be made of net.keras. " in answer.err
    for name in FORMATS:
        assert (
            f"{name}/int8-weights, {name}/int8-weights+prune50: not made: its float model differs "
            f"from the original (see {name}/fp32)"
        ) in answer.err
    # TF.js and ONNX name the same tensor in the same words, TFLite the one that it fused it into.
    found = re.findall(
        r"(\S+/fp32): differs from the original: output 'y' has an SQNR of 20.\d dB, and float32 "
        r"must give 60 dB. The first tensor that differs is 'functional\w*/middle_1/(\w+)' "
        r"\(20.\d dB\). Replace that layer, or leave the format out with --to.",
        answer.err,
    )
    assert found == [("tflite/fp32", "Relu"), ("onnx/fp32", "convolution")]
    assert " tfjs/fp32, onnx/fp32: differs" in answer.err
    assert not (tmp_path / "net.edgekit").exists()


@pytest.mark.usefixtures("net")
def test_a_float_model_that_nobody_asked_for_is_judged_too(
    cli: Cli, tmp_path: Path, written_wrongly: Callable[..., None]
) -> None:
    written_wrongly("onnx")
    words = ("--to", "tflite,onnx", "--recipe", "fp16,int8-weights+prune50")
    assert cli("convert", "net.keras", *words).exit_code == FAILED
    said = reasons(load_bundle(tmp_path / "net.edgekit"))
    assert said["tflite/fp16"] is None
    assert str(said["onnx/fp16"]).startswith("not made: its float model differs from the original")
    assert said["onnx/int8-weights+prune50"] == said["onnx/fp16"]


@pytest.mark.usefixtures("net")
def test_a_modified_float_model_is_compared_with_the_modified_graph(
    cli: Cli, tmp_path: Path, written_wrongly: Callable[..., None]
) -> None:
    words = ("convert", "net.keras", "--to", "tflite", "--recipe", "fp32+prune90")
    assert cli(*words, "-o", "right.edgekit").exit_code == 0
    (right,) = load_bundle(tmp_path / "right.edgekit").artifacts
    assert right.fidelity is not None
    assert right.fidelity.sqnr_db < 30
    written_wrongly("tflite")
    answer = cli(*words, "-o", "wrong.edgekit")
    assert "tflite/fp32+prune90: differs from the original" in answer.err


def test_what_float32_itself_leaves_open_is_no_fault_and_is_said(cli: Cli, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    x = keras.Input((256,), name="x")
    # A sum of 256 numbers, whose last places another order of adding changes, times 30,000.
    y = layers.Rescaling(3e4)(layers.Dense(64)(x))
    save(tmp_path / "wild.keras", x, keras.ops.sin(y))
    assert cli("convert", "wild.keras", "--recipe", "fp32,int8-weights").exit_code == 0
    notes = []
    for row in load_bundle(tmp_path / "wild.edgekit").artifacts:
        assert row.status == "ok"
        if row.recipe == "fp32" and row.fidelity and row.fidelity.sqnr_db < 60:
            notes += [(row, *row.notes)]
    assert notes
    for row, note in notes:
        assert note.kind == "note"
        assert "and more is not to be had in float32: rounding the model's own" in note.text
        assert note.figures["sqnr_db"] == pytest.approx(row.fidelity.sqnr_db, abs=0.1)


def test_fp16_under_30_db_is_a_warning_with_the_layer(cli: Cli, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    x = keras.Input((8,), name="x")
    y = layers.Dense(8, activation="relu", name="fine")(x)
    # float16 has nothing between 0 and 6e-8.
    kernel = keras.initializers.RandomNormal(stddev=1e-9)
    y = layers.Dense(8, "tanh", kernel_initializer=kernel, name="tiny")(y)
    # Between two tanh a scale has no layer to go into.
    y = keras.ops.tanh(layers.Rescaling(1e9)(y))
    y = layers.Dense(4, name="large")(y)
    save(tmp_path / "tiny.keras", x, y)
    assert cli("convert", "tiny.keras", "--recipe", "fp32,fp16").exit_code == 0
    rows = {row.id: row for row in load_bundle(tmp_path / "tiny.edgekit").artifacts}
    for name in FORMATS:
        assert not rows[f"{name}/fp32"].notes
        (note,) = rows[f"{name}/fp16"].notes
        assert note.kind == "low fidelity"
        assert note.figures["limit_db"] == 30
        assert re.search(r"; it falls at 'functional\w*/tiny_1/", note.text), name
        assert note.advice == "stay with fp32"


def test_what_half_precision_rounds_off_in_the_original_is_no_fault_and_is_said(
    cli: Cli, tmp_path: Path
) -> None:
    keras.utils.set_random_seed(0)
    policy = keras.DTypePolicy("mixed_float16")
    x = keras.Input((32,), name="x")
    # Beside 10, float16 knows no difference smaller than .008.
    y = layers.Rescaling(1, 10, dtype=policy)(layers.Dense(32, dtype=policy)(x))
    y = layers.Rescaling(1, -10, dtype=policy)(layers.ReLU(dtype=policy)(y))
    save(tmp_path / "half.keras", x, layers.Dense(4, dtype="float32")(y))
    assert cli("convert", "half.keras", "--to", "tflite", "--recipe", "fp32").exit_code == 0
    (row,) = load_bundle(tmp_path / "half.edgekit").artifacts
    assert row.fidelity is not None
    assert 30 < row.fidelity.sqnr_db < 60
    assert row.notes == (HALF_NOTE,)
