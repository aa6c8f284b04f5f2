"""Every quantization of ONNX: size, names, free batch and fidelity, run by onnxruntime."""

import models
import numpy as np
import onnx
import pytest

from edgekit_converters.calibration import Calibration
from edgekit_converters.onnx import RECIPES
from edgekit_converters.onnx import write as format_onnx
from edgekit_runtimes.engines import onnxruntime as engine
from edgekit_runtimes.errors import NotAvailableError, UsageError

# Size against fp32, and lowest SQNR in dB against the frozen graph. What is not a kernel (biases,
# structure, for int4 and int8-dynamic the convolutions) keeps its size, which is much of a small
# net's file.
CONV_NET = {
    "fp32": (1.0, 100),
    "fp16": (0.62, 60),
    "int8-weights": (0.46, 35),
    "int8-dynamic": (1.02, 35),
    "int8": (0.42, 35),
    "int4-dynamic": (1.0, 20),
}
DENSE_NET = {
    "fp32": (1.0, 100),
    "fp16": (0.53, 60),
    "int8-weights": (0.3, 40),
    "int8-dynamic": (0.33, 35),
    "int8": (0.3, 35),
    "int4-dynamic": (0.21, 22),
}
TWO_IN_TWO_OUT = {
    "fp32": (1.0, 100),
    "fp16": (0.8, 55),
    "int8-weights": (0.75, 35),
    "int8-dynamic": (1.0, 25),
    "int8": (0.65, 18),
    "int4-dynamic": (0.8, 15),
}
RECURRENT_NET = {
    "fp32": (1.0, 100),
    "fp16": (0.8, 55),
    "int8-weights": (0.75, 40),
    "int8-dynamic": (1.0, 35),
    "int8": (0.75, 30),
    "int4-dynamic": (0.85, 15),
}
# Its masked attention had 15 dB in int8, and its table was as large as in fp32.
TOKEN_NET = {
    "fp32": (1.0, 100),
    "fp16": (0.52, 60),
    "int8-weights": (0.31, 40),
    "int8-dynamic": (0.32, 35),
    "int8": (0.33, 28),
    "int4-dynamic": (0.19, 17),
}
EXPECTED = {
    "conv_net": CONV_NET,
    "dense_net": DENSE_NET,
    "two_in_two_out": TWO_IN_TWO_OUT,
    "recurrent_net": RECURRENT_NET,
    "token_net": TOKEN_NET,
}
CELLS = [(name, quantization) for name, rows in EXPECTED.items() for quantization in rows]

# The same for MobileNetV2, whose weights are random: harder to quantize than trained ones.
MBV2 = {
    "fp32": (13_970_000, 90),
    "fp16": (7_000_000, 30),
    "int8-weights": (3_640_000, 15),
    "int8": (3_750_000, 10),
}
MBV2_INT8_CORRELATION = 0.95


@pytest.fixture(scope="module")
def prepared(graphs):
    made = {}

    def prepare(name):
        if name not in made:
            made[name] = format_onnx.prepare(graphs(name))
        return made[name]

    return prepare


@pytest.fixture
def write(prepared, tmp_path):
    """Write an artifact and return its path, its notes and the model that an engine made of it."""

    def write_and_load(name, quantization):
        path = tmp_path / f"{quantization}.onnx"
        inputs = noise(name, 16 if name == "mbv2" else 64, seed=7)
        notes = format_onnx.write(prepared(name), quantization, path, calibration_of(inputs))
        options = RECIPES[quantization].engine_options
        return path, notes, engine.load(path, options)

    return write_and_load


def noise(name, count, seed=0):
    if name == "mbv2":
        import make

        return {"input_layer": make.samples(count, seed)}
    return models.random_inputs(getattr(models, name)(), count, seed)


def calibration_of(inputs):
    count = len(next(iter(inputs.values())))
    return Calibration(
        lambda: ({key: array[i : i + 1] for key, array in inputs.items()} for i in range(count))
    )


def run_each(run, inputs):
    """Return the outputs by name, run sample by sample."""
    answers = [run(sample) for sample in calibration_of(inputs)]
    return {key: np.concatenate([answer[key] for answer in answers]) for key in answers[0]}


def sqnr_db(expected, actual):
    return 10 * np.log10((expected**2).sum() / max(((expected - actual) ** 2).sum(), 1e-30))


@pytest.mark.parametrize(("name", "quantization"), CELLS)
def test_each_quantization_is_as_small_and_as_near_as_it_should_be(
    graphs, write, name, quantization
):
    fp32, _, _ = write(name, "fp32")
    path, _, model = write(name, quantization)
    inputs = noise(name, 8)
    expected, outputs = run_each(graphs(name).run, inputs), run_each(model.run, inputs)
    share, lowest = EXPECTED[name][quantization]
    assert path.stat().st_size <= share * fp32.stat().st_size
    assert outputs.keys() == expected.keys()
    for key, values in expected.items():
        assert outputs[key].dtype == np.float32
        assert sqnr_db(values, outputs[key]) >= lowest


@pytest.mark.parametrize(("name", "quantization"), CELLS)
def test_each_artifact_is_valid_onnx_with_the_signature_of_its_source(
    graphs, write, name, quantization
):
    path, _, model = write(name, quantization)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    assert model.inputs == graphs(name).input_specs
    assert {spec.name: spec for spec in model.outputs} == {
        spec.name: spec for spec in graphs(name).output_specs
    }


@pytest.mark.parametrize("quantization", CONV_NET)
@pytest.mark.parametrize("name", ["conv_net", "two_in_two_out"])
def test_a_batch_gives_what_its_samples_give_one_by_one(write, name, quantization):
    _, _, model = write(name, quantization)
    inputs = noise(name, 5)
    batch, single = model.run(inputs), run_each(model.run, inputs)
    for key, values in single.items():
        # Dynamic quantization takes one range for the whole batch.
        assert sqnr_db(values, batch[key]) >= (15 if "dynamic" in quantization else 60)


@pytest.mark.slow
@pytest.mark.parametrize("quantization", MBV2)
def test_mobilenet_v2_is_as_small_and_as_near_as_it_should_be(graphs, write, quantization):
    path, _, model = write("mbv2", quantization)
    inputs = noise("mbv2", 8)
    expected = graphs("mbv2").run(inputs)["predictions"]
    outputs = run_each(model.run, inputs)["predictions"]
    assert not np.allclose(expected[0], expected[1], rtol=0.1)
    largest, lowest = MBV2[quantization]
    assert path.stat().st_size <= largest
    assert sqnr_db(expected, outputs) >= lowest
    if quantization == "int8":
        assert np.corrcoef(expected.ravel(), outputs.ravel())[0, 1] >= MBV2_INT8_CORRELATION


@pytest.mark.parametrize("quantization", ["int8-dynamic", "int4-dynamic"])
def test_dynamic_quantization_says_how_little_of_a_convolutional_net_it_covers(write, quantization):
    _, notes, _ = write("conv_net", quantization)
    assert notes[0] == "only dense layers (MatMul, Gemm) were quantized: 1 of 5 layers"
    kernels = 4 * (3 * 3 * 1 * 16 + 3 * 3 * 16 + 16 * 16 + 3 * 3 * 16 * 32)
    assert notes[1].startswith(f"{kernels:,} bytes of constants stayed in float32 (")
    assert notes[1].endswith("% of the file): those of Conv")
    _, notes, _ = write("dense_net", quantization)
    assert notes == ()


@pytest.mark.parametrize("quantization", ["int8-dynamic", "int4-dynamic"])
def test_dynamic_quantization_without_a_dense_layer_is_not_available(tmp_path, quantization):
    import keras
    from keras import layers
    from models import freeze_model

    image = keras.Input((8, 8, 3), name="image")
    model = keras.Model(image, layers.Conv2D(4, 3, name="map")(image))
    with pytest.raises(NotAvailableError, match="nothing to quantize: it covers dense"):
        format_onnx.write(
            format_onnx.prepare(freeze_model(model)), quantization, tmp_path / "x.onnx", None
        )


def test_int8_says_that_loops_compute_in_float(write):
    _, notes, _ = write("recurrent_net", "int8")
    assert notes == (
        "2 of 3 layers are in a loop: their weights are int8, their computing is float",
    )


def test_a_model_of_nothing_but_small_kernels_has_no_int8_weights(tmp_path):
    import keras
    from keras import layers
    from models import freeze_model

    features = keras.Input((4,), name="features")
    model = keras.Model(features, layers.Dense(3, name="class")(features))
    path = tmp_path / "x.onnx"
    with pytest.raises(NotAvailableError, match=r"nothing to quantize: .* has 12 elements\)"):
        format_onnx.write(format_onnx.prepare(freeze_model(model)), "int8-weights", path, None)
    assert not path.exists()


def test_int16x8_is_not_available_with_its_reason(prepared, tmp_path):
    with pytest.raises(NotAvailableError, match="no kernels for 16-bit activations"):
        format_onnx.write(prepared("dense_net"), "int16x8", tmp_path / "x.onnx", None)


def test_integer_inputs_and_outputs_are_refused(prepared, tmp_path):
    samples = calibration_of(noise("dense_net", 2))
    with pytest.raises(UsageError, match="--io int8 is not for ONNX int8, whose inputs"):
        format_onnx.write(prepared("dense_net"), "int8", tmp_path / "x.onnx", samples, "int8")


def test_int8_without_calibration_is_refused(prepared, tmp_path):
    with pytest.raises(UsageError, match="int8 needs calibration data: --calibration DATA"):
        format_onnx.write(prepared("dense_net"), "int8", tmp_path / "x.onnx", None)


def test_writing_one_artifact_leaves_the_prepared_model_as_it_was(prepared, write):
    before = prepared("dense_net").SerializeToString(deterministic=True)
    for quantization in DENSE_NET:
        write("dense_net", quantization)
    assert prepared("dense_net").SerializeToString(deterministic=True) == before
