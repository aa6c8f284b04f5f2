"""What the LiteRT quantizer leaves in floats is stored as small all the same."""

import keras
import models
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from keras import layers

from edgekit_converters.calibration import Calibration
from edgekit_converters.tflite import write as tflite
from edgekit_converters.tflite.rest import left_floats
from edgekit_runtimes.errors import NotAvailableError

QUANTIZATIONS = ["int8-weights", "int8-dynamic", "int8", "int16x8"]


@pytest.fixture(scope="module")
def lookups(graphs):
    """Return the float file of lookup_net, samples, and what it answers to the first four."""
    graph = graphs("lookup_net")
    samples = each(models.random_inputs(models.lookup_net(), 300, seed=1))
    answers = [graph.run({name: x[None] for name, x in sample.items()}) for sample in samples[:4]]
    return (
        tflite.prepare(graph),
        samples,
        {name: np.stack([one[name] for one in answers]) for name in answers[0]},
    )


@pytest.fixture(scope="module")
def left_product():
    """Return a constant, and the float file of its product with an input."""
    left = np.random.default_rng(0).standard_normal((40, 16)).astype(np.float32)
    x = keras.Input((16, 8), name="x")
    return left, prepared(keras.Model(x, keras.ops.matmul(left, x)))


@pytest.fixture(scope="module")
def without_kernels():
    x = keras.Input((16,), name="x")
    return prepared(keras.Model(x, layers.Activation("tanh")(layers.BatchNormalization()(x))))


def prepared(model):
    return tflite.prepare(models.freeze_model(model))


def run(path, samples):
    runner = Interpreter(str(path)).get_signature_runner()
    answers = [runner(**{name: x[None] for name, x in sample.items()}) for sample in samples]
    return {name: np.stack([one[name] for one in answers]) for name in answers[0]}


def each(inputs):
    count = len(next(iter(inputs.values())))
    return [{name: array[i] for name, array in inputs.items()} for i in range(count)]


def sqnr_db(expected, actual):
    return 10 * np.log10((expected**2).sum() / max(((expected - actual) ** 2).sum(), 1e-30))


@pytest.mark.parametrize(
    ("quantization", "share", "lowest"),
    [
        ("fp16", 0.52, 60),
        ("int8-weights", 0.29, 40),
        ("int8-dynamic", 0.29, 40),
        ("int8", 0.29, 30),
        ("int16x8", 0.29, 40),
        ("int4-dynamic", 0.23, 15),
    ],
)
def test_tables_of_every_rank_and_axis_are_small_and_right(
    lookups, tmp_path, quantization, share, lowest
):
    float_file, samples, expected = lookups
    path = tmp_path / "model.tflite"
    calibration = Calibration(lambda: ({k: v[None] for k, v in one.items()} for one in samples))
    tflite.write(float_file, quantization, path, calibration)
    assert path.stat().st_size <= share * len(float_file)
    for name, answers in run(path, samples[:4]).items():
        assert sqnr_db(expected[name], answers) >= lowest


def test_a_table_that_is_a_kernel_too_is_stored_once(graphs, tmp_path):
    float_file = tflite.prepare(graphs("token_net"))
    table = models.VOCABULARY * 32
    for quantization in QUANTIZATIONS:
        path = tmp_path / f"{quantization}.tflite"
        inputs = models.random_inputs(models.token_net(), 20, seed=1)
        calibration = Calibration(
            lambda inputs=inputs: ({"tokens": one[None]} for one in inputs["tokens"])
        )
        tflite.write(float_file, quantization, path, calibration)
        others = len(float_file) - 4 * table
        assert path.stat().st_size <= 1.7 * table + others


def test_two_reads_of_a_table_store_it_once(tmp_path):
    first, second = (keras.Input((3,), name=name, dtype="int32") for name in ("first", "second"))
    table = layers.Embedding(300, 32)
    outputs = [layers.Identity(name=f"of_{x.name}")(table(x)) for x in (first, second)]
    path = tmp_path / "x.tflite"
    float_file = prepared(keras.Model([first, second], outputs))
    tflite.write(float_file, "int8-weights", path, None)
    assert path.stat().st_size <= 0.4 * len(float_file)


@pytest.mark.parametrize("quantization", ["fp16", "int8-weights", "int8-dynamic", "int4-dynamic"])
def test_a_model_without_kernels_has_nothing_to_quantize(without_kernels, tmp_path, quantization):
    path = tmp_path / "x.tflite"
    with pytest.raises(NotAvailableError, match=r"^nothing to quantize: .* has 16 elements\)$"):
        tflite.write(without_kernels, quantization, path, None)
    assert not path.exists()


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_a_constant_on_the_left_of_a_product_is_small_and_right(
    left_product, tmp_path, quantization
):
    left, float_file = left_product
    path = tmp_path / "x.tflite"
    samples = np.random.default_rng(1).standard_normal((20, 16, 8)).astype(np.float32)
    calibration = Calibration(lambda: ({"x": sample[None]} for sample in samples))
    tflite.write(float_file, quantization, path, calibration)
    (answer,) = run(path, [{"x": samples[0]}]).values()
    assert sqnr_db(left @ samples[0], answer[0, 0]) >= 35
    assert not any(constant.is_weight for constant in left_floats(path.read_bytes()))


@pytest.mark.parametrize(("quantization", "lowest"), [("fp16", 60), ("int8", 30), ("int16x8", 40)])
def test_weights_and_biases_beyond_their_types_stay_in_floats(tmp_path, quantization, lowest):
    x = keras.Input((16,), name="x")
    hidden = layers.Dense(32, activation="relu")(x)
    price = layers.Rescaling(2e5, offset=1e5, name="price")(layers.Dense(1)(hidden))
    graph = models.freeze_model(keras.Model(x, price))
    path = tmp_path / "x.tflite"
    samples = np.random.default_rng(1).standard_normal((40, 16)).astype(np.float32)
    calibration = Calibration(lambda: ({"x": sample[None]} for sample in samples))
    tflite.write(tflite.prepare(graph), quantization, path, calibration)
    answers = run(path, [{"x": sample} for sample in samples[:8]])["price"][:, 0]
    assert sqnr_db(graph.run({"x": samples[:8]})["price"], answers) >= lowest
