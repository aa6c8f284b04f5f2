import models
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from edgekit_converters.calibration import Calibration
from edgekit_converters.tflite import write as tflite
from edgekit_runtimes.errors import ConversionError, NotAvailableError, UsageError

# Size against fp32, and lowest SQNR in dB against the frozen graph. Small nets keep some bytes of
# structure, so their sizes are above 1/2, 1/4 and 1/8.
EXPECTED = {
    "fp32": (1.0, 100),
    "fp16": (0.62, 55),
    "int8-weights": (0.45, 30),
    "int8-dynamic": (0.42, 25),
    "int8": (0.5, 20),
    "int16x8": (0.5, 20),
    "int4-dynamic": (0.32, 8),
}


@pytest.fixture(scope="module")
def float_models(graphs):
    made = {}

    def prepare(name):
        if name not in made:
            made[name] = tflite.prepare(graphs(name))
        return made[name]

    return prepare


def calibration_of(name, count=16):
    arrays = models.random_inputs(getattr(models, name)(), count, seed=7)
    return Calibration(
        lambda: ({key: array[i : i + 1] for key, array in arrays.items()} for i in range(count))
    )


def run(path, inputs):
    """Return the outputs by name, one sample after the other."""
    interpreter = Interpreter(str(path))
    runner = interpreter.get_signature_runner()
    count = len(next(iter(inputs.values())))
    answers = [
        runner(**{name: array[i : i + 1] for name, array in inputs.items()}) for i in range(count)
    ]
    return {name: np.concatenate([one[name] for one in answers]) for name in answers[0]}


def sqnr_db(expected, actual):
    return 10 * np.log10((expected**2).sum() / max(((expected - actual) ** 2).sum(), 1e-30))


@pytest.mark.parametrize("quantization", EXPECTED)
@pytest.mark.parametrize("name", ["conv_net", "dense_net", "token_net"])
def test_each_quantization_is_as_small_and_as_near_as_it_should_be(
    graphs, float_models, tmp_path, name, quantization
):
    path = tmp_path / "model.tflite"
    tflite.write(float_models(name), quantization, path, calibration_of(name), "float")
    inputs = models.random_inputs(getattr(models, name)(), 8)
    outputs, expected = run(path, inputs), graphs(name).run(inputs)
    share, lowest = EXPECTED[quantization]
    assert path.stat().st_size <= share * len(float_models(name))
    for key in expected:
        assert outputs[key].dtype == np.float32
        assert sqnr_db(expected[key], outputs[key]) >= lowest


def test_outputs_keep_their_names_whatever_their_order(graphs, float_models, tmp_path):
    path = tmp_path / "model.tflite"
    tflite.write(float_models("two_in_two_out"), "fp32", path, None, "float")
    inputs = models.random_inputs(models.two_in_two_out(), 4)
    outputs, expected = run(path, inputs), graphs("two_in_two_out").run(inputs)
    assert outputs.keys() == {"zone", "age"}
    for key in expected:
        np.testing.assert_allclose(outputs[key], expected[key], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("quantization", ["fp32", "fp16", "int8-weights", "int8-dynamic"])
def test_a_recurrent_net_converts_with_batch_one(graphs, float_models, tmp_path, quantization):
    path = tmp_path / "model.tflite"
    tflite.write(float_models("recurrent_net"), quantization, path, None, "float")
    inputs = models.random_inputs(models.recurrent_net(), 1)
    expected = graphs("recurrent_net").run(inputs)
    assert sqnr_db(expected["class"], run(path, inputs)["class"]) >= 25


def test_static_quantization_of_loops_is_not_available_and_says_what_is(float_models, tmp_path):
    with pytest.raises(NotAvailableError, match="int8-dynamic can"):
        tflite.write(
            float_models("recurrent_net"),
            "int8",
            tmp_path / "model.tflite",
            calibration_of("recurrent_net"),
            "float",
        )


def test_integer_inputs_and_outputs_carry_their_scale(float_models, tmp_path):
    path = tmp_path / "model.tflite"
    tflite.write(float_models("conv_net"), "int8", path, calibration_of("conv_net"), "int8")
    interpreter = Interpreter(str(path))
    for detail in (*interpreter.get_input_details(), *interpreter.get_output_details()):
        assert detail["dtype"] == np.int8
        assert detail["quantization"][0] > 0


def test_integer_inputs_are_those_of_int8_only(float_models, tmp_path):
    for quantization in ("fp16", "int16x8"):
        with pytest.raises(UsageError, match=f"--io int8 is not for TFLite {quantization}"):
            tflite.write(
                float_models("conv_net"),
                quantization,
                tmp_path / "x.tflite",
                calibration_of("conv_net"),
                "int8",
            )


def test_static_quantization_without_calibration_is_refused(float_models, tmp_path):
    with pytest.raises(UsageError, match="int8 needs calibration data"):
        tflite.write(float_models("conv_net"), "int8", tmp_path / "x.tflite", None, "float")


def test_operators_that_tflite_lacks_are_named(tmp_path):
    import tensorflow as tf

    from edgekit_converters.sources import load_source

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
        def serve(self, x):
            return {"y": tf.raw_ops.Digamma(x=x) + tf.raw_ops.Zeta(x=x, q=x)}

    module = Module()
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures=module.serve)
    source = load_source(tmp_path / "saved")
    with pytest.raises(ConversionError, match=r"for: Digamma \(after x\), Zeta \(after x\)\. "):
        tflite.prepare(source.graph)


def test_tensors_are_named_by_one_node_each(float_models):
    interpreter = Interpreter(model_content=float_models("conv_net"))
    names = [detail["name"] for detail in interpreter.get_tensor_details()]
    assert not any(";" in name for name in names)
    assert len(set(names)) == len(names)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("quantization", "limit"),
    # 13.95 MB of the float file are weights and biases.
    [("fp32", 13_980_000), ("fp16", 7_060_000), ("int8-weights", 3_810_000), ("int8", 4_050_000)],
)
def test_the_files_of_mbv2_are_small_and_right(graphs, float_models, tmp_path, quantization, limit):
    import make

    images = make.samples(8)
    calibration = Calibration(lambda: ({"input_layer": image[None]} for image in images))
    path = tmp_path / "model.tflite"
    tflite.write(float_models("mbv2"), quantization, path, calibration, "float")
    assert path.stat().st_size <= limit
    inputs = {"input_layer": make.samples(4, seed=5)}
    expected = graphs("mbv2").run(inputs)["predictions"]
    assert sqnr_db(expected, run(path, inputs)["predictions"]) >= 10


def test_mbv2_answers_each_sample_differently(graphs):
    import make

    outputs = graphs("mbv2").run({"input_layer": make.samples(4)})["predictions"]
    assert len(set(outputs.argmax(axis=1))) == 4
    assert np.abs(outputs - outputs[0]).max(axis=1)[1:].min() > 0.1 * np.abs(outputs).max()
