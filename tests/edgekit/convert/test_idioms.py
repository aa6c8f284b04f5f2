"""Models as people have them, of kinds that converters get wrong: right in every format."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

import edgekit
from edgekit.bundle.manifest import ArtifactRecord

# An fp32 artifact computes as the original does, up to the rounding of float32.
FP32_DB = 100.0
# Half a policy's arithmetic is float16's in the original: its eleven bits.
HALF_DB = 60.0


def lstm_dropout() -> keras.Model:
    return sequential((6, 3), layers.LSTM(4, dropout=0.2), layers.Dense(2))


def silu() -> keras.Model:
    return sequential((8,), layers.Dense(4, activation="silu"))


def lstm_residual() -> keras.Model:
    x = keras.Input((16, 8), name="x")
    y = layers.LayerNormalization()(layers.LSTM(8, return_sequences=True)(x) + x)
    return keras.Model(x, layers.Dense(2, name="y")(layers.LSTM(8)(y)))


def two_lstm_concat() -> keras.Model:
    x = keras.Input((20, 8), name="x")
    y = layers.concatenate([layers.LSTM(8, return_sequences=True)(x), x])
    y = layers.LSTM(6, return_sequences=True)(y)
    return keras.Model(x, layers.Dense(2, name="y")(y))


def masked_lstm() -> keras.Model:
    """Its loop reads a mask: booleans that are computed outside."""
    x = keras.Input((20,), name="x", dtype="int32")
    y = layers.Embedding(30, 8, mask_zero=True)(x)
    return keras.Model(x, layers.Dense(2)(layers.LSTM(16)(y)))


def argmax() -> keras.Model:
    x = keras.Input((6,), name="x")
    return keras.Model(x, ops.argmax(layers.Dense(4)(x), axis=-1))


def transposed_convolution() -> keras.Model:
    layer = layers.Conv2DTranspose(3, 3, strides=2, padding="valid", output_padding=1)
    return sequential((6, 6, 2), layer)


def zeros_before_a_pool() -> keras.Model:
    """As ResNet50V2 begins: every value is negative, so that the zeros are the largest."""
    pool = layers.MaxPooling2D(3, strides=2)
    less = layers.Rescaling(1.0, offset=-10.0)
    return sequential((8, 8, 2), less, layers.ZeroPadding2D(1), pool, layers.Conv2D(3, 1))


def integer_lookup() -> keras.Model:
    x = keras.Input((1,), name="x", dtype="int32")
    codes = layers.IntegerLookup(vocabulary=[1, 5, 9], output_mode="one_hot")(x)
    return keras.Model(x, layers.Dense(1)(codes))


def discretization() -> keras.Model:
    buckets = layers.Discretization(bin_boundaries=[0.0, 1.0, 2.0], output_mode="int")
    return sequential((2,), buckets, layers.Rescaling(0.5), layers.Dense(1))


def same_tensor_twice() -> keras.Model:
    x = keras.Input((6,), name="x")
    y = layers.Dense(4)(x)
    again = layers.Identity(name="again")(y)
    return keras.Model(x, [y, layers.Identity(name="echo")(x), again])


def intermediate_output() -> keras.Model:
    x = keras.Input((6,), name="x")
    y = layers.Dense(4, activation="relu")(x)
    return keras.Model(x, [y, layers.Dense(3)(y)])


def input_as_output() -> keras.Model:
    x = keras.Input((6,), name="x")
    return keras.Model(x, [layers.Dense(4, activation="relu")(x), x])


NETS = (
    lstm_dropout,
    silu,
    lstm_residual,
    two_lstm_concat,
    argmax,
    transposed_convolution,
    zeros_before_a_pool,
    integer_lookup,
    discretization,
    same_tensor_twice,
    intermediate_output,
    input_as_output,
)


def sequential(shape: tuple[int, ...], *rest: Any) -> keras.Model:
    return keras.Sequential([keras.Input(shape, name="x"), *rest])


def samples(model: keras.Model, count: int = 32) -> dict[str, Any]:
    generator = np.random.default_rng(0)
    shape = (count, *model.inputs[0].shape[1:])
    if model.inputs[0].dtype == "int32":
        return {"x": generator.integers(0, 12, shape).astype("int32")}
    return {"x": generator.standard_normal(shape).astype("float32")}


def converted(model: keras.Model, folder: Path, recipe: str) -> list[ArtifactRecord]:
    source = folder / "net.keras"
    model.save(source)
    data = samples(model)
    bundle = edgekit.convert(source, folder / "net.edgekit", recipe=recipe, calibration=data)
    return list(bundle.artifacts)


def level(record: ArtifactRecord) -> float:
    assert record.fidelity, f"{record.id}: {record.reason}"
    return record.fidelity.sqnr_db


@pytest.mark.parametrize("make", NETS, ids=lambda make: make.__name__)
def test_fp32_is_right_in_every_format(make: Callable[[], keras.Model], tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    records = converted(make(), tmp_path, "fp32")
    assert len(records) == 3
    for record in records:
        assert level(record) > FP32_DB, record.id


# Static int8 keeps about 40 dB of nets as small as these; a wrong one has none.
INT8_DB = 25.0


@pytest.mark.parametrize(
    "make",
    [same_tensor_twice, intermediate_output, input_as_output, zeros_before_a_pool],
    ids=lambda make: make.__name__,
)
def test_int8_is_right_where_outputs_are_shared(
    make: Callable[[], keras.Model], tmp_path: Path
) -> None:
    keras.utils.set_random_seed(1)
    records = [record for record in converted(make(), tmp_path, "int8") if record.format != "tfjs"]
    assert len(records) == 2
    for record in records:
        assert level(record) > INT8_DB, record.id


def test_a_model_that_an_optimizer_changed_is_made_without_it_and_says_so(tmp_path: Path) -> None:
    # In a process of its own, with names of its own: behind other tests the optimizer did no harm.
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    lstm_residual().save(tmp_path / "net.keras")
    words = ("convert", "net.keras", "--to", "onnx", "--recipe", "fp32")
    subprocess.run([sys.executable, "-m", "edgekit", *words], cwd=tmp_path, check=True)
    (record,) = edgekit.load_bundle(tmp_path / "net.edgekit").artifacts
    assert level(record) > FP32_DB
    assert any("optimize_transpose" in str(note) for note in record.notes)


@pytest.mark.parametrize("make", [two_lstm_concat, masked_lstm], ids=lambda make: make.__name__)
def test_onnx_int8_stays_out_of_loops(make: Callable[[], keras.Model], tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    (record,) = (r for r in converted(make(), tmp_path, "int8") if r.format == "onnx")
    assert level(record) > INT8_DB


def test_a_saved_model_with_a_free_batch_is_as_right_as_its_keras_file(tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    model = sequential((6, 3), layers.LSTM(4), layers.Dense(2))
    model.export(tmp_path / "saved", verbose=False)
    bundle = edgekit.convert(tmp_path / "saved", tmp_path / "net.edgekit", recipe="fp32,fp16")
    assert len(bundle.artifacts) == 6
    for record in bundle.artifacts:
        assert level(record) > (FP32_DB if record.recipe == "fp32" else HALF_DB), record.id


def test_half_a_policy_computes_in_float32(tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    policy = keras.DTypePolicy("mixed_float16")
    last = layers.Dense(4, dtype="float32")
    records = converted(sequential((8,), layers.Dense(64, dtype=policy), last), tmp_path, "fp32")
    for record in records:
        assert level(record) > HALF_DB, record.id


def test_a_sensor_s_large_offset_costs_float16_no_digits(tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    generator = np.random.default_rng(0)
    values = generator.normal([101325, 300, 50], [100, 5, 20], (500, 3)).astype("float32")
    normalize = layers.Normalization()
    normalize.adapt(values)
    rest = layers.Dense(16, activation="relu"), layers.Dense(1)
    source = tmp_path / "net.keras"
    sequential((3,), normalize, *rest).save(source)
    bundle = edgekit.convert(
        source, tmp_path / "net.edgekit", to="tfjs", recipe="fp32,fp16", calibration={"x": values}
    )
    fp32, fp16 = bundle.artifacts
    assert level(fp32) > FP32_DB
    assert level(fp16) > HALF_DB


def test_a_model_that_keras_quantized_is_refused_with_what_to_bring(tmp_path: Path) -> None:
    model = sequential((32,), layers.Dense(64, activation="relu"), layers.Dense(5))
    model.quantize("int8")
    model.save(tmp_path / "net.keras")
    with pytest.raises(edgekit.EdgekitError, match=r"quantized by Keras \(int8\).*float model"):
        edgekit.convert(tmp_path / "net.keras", tmp_path / "net.edgekit")
