"""Which operators stay in float: the choice by itself, and what it does to files."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from keras import layers
from models import freeze_model

from edgekit_converters.calibration import Calibration
from edgekit_converters.mixed.choice import choose_floats, cost_of
from edgekit_converters.mixed.net import Net, Operator
from edgekit_converters.mixed.noise import Noise, noise_between, noise_of_tensors, to_db
from edgekit_converters.mixed.result import Candidate, floats_note, gains, is_worth
from edgekit_converters.onnx import write as onnx
from edgekit_converters.onnx.static import engine as onnx_engine
from edgekit_converters.onnx.static.quantize import measure_ranges as onnx_ranges
from edgekit_converters.onnx.static.quantize import quantized
from edgekit_converters.onnx.static.simulated import SimulatedOnnx
from edgekit_converters.tflite import write as tflite
from edgekit_converters.tflite.engine import answers
from edgekit_converters.tflite.simulated import SimulatedTflite
from edgekit_converters.tflite.tree import Tree

SIZE = 12


def chain(*macs: int, elements: int = 10) -> Net:
    """Return a net of operators in a row, o0 -> t1 -> o1 -> t2 …, with these costs."""
    operators = tuple(
        Operator(f"o{i}", "CONV_2D" if one else "RELU", (f"t{i}",), (f"t{i + 1}",), one, one)
        for i, one in enumerate(macs)
    )
    rounded = {f"t{i}": elements for i in range(len(macs) + 1)}
    return Net(operators, rounded, frozenset({"t0", f"t{len(macs)}"}))


def test_a_tensor_is_rounded_unless_all_around_it_compute_in_float():
    net = chain(100, 100, 100)
    assert net.still_rounded({"o1"}) == set(net.rounded)
    assert net.still_rounded({"o1", "o2"}) == {"t0", "t1"}


def test_the_end_of_a_net_is_cheap_and_its_noise_is_taken_away():
    net = chain(5000, 5000, 100)
    noise = {"t0": 1e-5, "t1": 1e-5, "t2": 1e-5, "t3": 1e-2}
    assert choose_floats(net, noise, 1e-5, frozenset()) == {"o2"}


def test_what_gives_back_most_of_what_int8_saves_stays_in_integers():
    net = chain(100, 9000, 100)
    noise = {"t0": 1e-9, "t1": 1e-2, "t2": 1e-2, "t3": 1e-9}
    assert "o1" not in choose_floats(net, noise, 1e-9, frozenset())


def test_nothing_is_chosen_where_nobody_misses_anything_or_int8_saves_nothing():
    quiet = dict.fromkeys(chain(100, 100).rounded, 1e-6)
    assert not choose_floats(chain(100, 100), quiet, 0.0, frozenset())
    loud = dict.fromkeys(chain(0, 0).rounded, 1e-1)
    assert not choose_floats(chain(0, 0), loud, 0.0, frozenset())


def test_an_activation_of_several_operators_is_freed_as_a_whole():
    net = chain(9000, 0, 0, 0, 9000, elements=1)
    noise = {"t2": 1e-2, "t3": 1e-2, "t0": 1e-6, "t1": 1e-6, "t4": 1e-6, "t5": 1e-6}
    assert choose_floats(net, noise, 1e-6, frozenset()) == {"o1", "o2", "o3"}


def test_changes_between_integers_and_floats_cost_time():
    net = chain(1000, 1000, 1000)
    assert cost_of(net, {"o1"}) > cost_of(net, {"o1", "o2"}) - 1000 / 3000


def test_noise_is_that_of_the_worst_output_and_counts_integers_that_differ():
    noise = Noise()
    noise.add(
        {"x": np.ones(4, np.float32), "n": np.arange(4)},
        {"x": np.full(4, 1.1, np.float32), "n": np.array([0, 1, 2, 9])},
    )
    assert noise.share == pytest.approx(0.25)
    assert to_db(0.0) == np.inf


def test_a_candidate_has_to_gain_and_may_not_grow_much():
    known = Candidate(b"", 100_000, 20.0)
    assert is_worth(Candidate(b"", 101_000, 22.0), known)
    assert not is_worth(Candidate(b"", 101_000, 20.5), known)
    assert not is_worth(Candidate(b"", 110_000, 30.0), known)
    assert not gains(Candidate(b"", 1, np.inf), Candidate(b"", 1, np.inf))


@pytest.fixture(scope="module")
def graph():
    """A net whose last layers lose most: a pool that averages away the signal, and a dense one."""
    keras.utils.set_random_seed(3)
    x = keras.Input((SIZE, SIZE, 3), name="x")
    y = layers.Conv2D(16, 3, activation="hard_swish", padding="same")(x)
    y = layers.Conv2D(16, 3, activation="relu", padding="same")(y)
    y = layers.Conv2D(16, 3, padding="same")(y)
    y = layers.Dense(6)(layers.GlobalAveragePooling2D()(y))
    return freeze_model(keras.Model(x, y))


@pytest.fixture(scope="module")
def samples():
    generator = np.random.default_rng(4)
    images = generator.standard_normal((80, 1, SIZE, SIZE, 3))
    images *= generator.lognormal(0, 0.7, (80, 1, 1, 1, 1))
    return [{"x": image.astype(np.float32)} for image in images]


@pytest.fixture(scope="module")
def calibration(samples):
    return Calibration(lambda: iter(samples[:64]), 64)


@pytest.fixture(scope="module")
def float_file(graph):
    return tflite.prepare(graph)


def written(float_file, path, calibration, effort):
    notes = tflite.write(float_file, "int8", path, calibration, "float", effort)
    return path.read_bytes(), notes


def test_the_simulated_file_answers_as_the_real_one(float_file, calibration, samples, tmp_path):
    plain, _ = written(float_file, tmp_path / "a.tflite", calibration, "low")
    simulated = SimulatedTflite(float_file, plain)
    expected = answers(float_file, samples[:8])
    everything = frozenset(simulated.net.rounded)
    found = noise_between(expected, (simulated.run(one, everything) for one in samples[:8]))
    real = noise_between(expected, answers(plain, samples[:8]))
    assert found.sqnr_db == pytest.approx(real.sqnr_db, abs=1.0)
    nothing = noise_between(expected, (simulated.run(one, frozenset()) for one in samples[:8]))
    assert nothing.sqnr_db > real.sqnr_db + 1
    single = noise_of_tensors(simulated, samples[:8], "default")
    assert to_db(nothing.share + sum(single.values())) == pytest.approx(real.sqnr_db, abs=2.5)


def test_an_int8_file_whose_head_stays_in_float_loses_less_and_is_hardly_larger(
    float_file, calibration, samples, tmp_path
):
    plain, _ = written(float_file, tmp_path / "a.tflite", calibration, "low")
    chosen, notes = written(float_file, tmp_path / "b.tflite", calibration, "default")
    expected = answers(float_file, samples[64:])
    before = noise_between(expected, answers(plain, samples[64:])).sqnr_db
    after = noise_between(expected, answers(chosen, samples[64:])).sqnr_db
    assert after > before + 1
    assert len(chosen) < len(plain) + 2048
    assert "operators compute in float" in notes[0]
    again, _ = written(float_file, tmp_path / "c.tflite", calibration, "default")
    assert again == chosen


def test_a_hard_swish_is_not_computed_in_int8(float_file, calibration, tmp_path):
    chosen, _ = written(float_file, tmp_path / "b.tflite", calibration, "default")
    tree = Tree(chosen)
    (subgraph,) = tree.model.subgraphs
    (swish,) = (
        one for one in subgraph.operators if tree.code(one) == schema.BuiltinOperator.HARD_SWISH
    )
    assert subgraph.tensors[swish.outputs[0]].type == schema.TensorType.FLOAT32


def test_integers_everywhere_are_kept_where_they_are_asked_for(float_file, calibration, tmp_path):
    path = tmp_path / "a.tflite"
    assert not tflite.write(float_file, "int8", path, calibration, "int8", "default")
    tree = Tree(path.read_bytes())
    kinds = {tensor.type for tensor in tree.model.subgraphs[0].tensors}
    assert schema.TensorType.FLOAT32 not in kinds


def test_too_few_samples_choose_nothing(float_file, samples, tmp_path):
    few = Calibration(lambda: iter(samples[:20]), 20)
    assert few.choosing is None
    plain, _ = written(float_file, tmp_path / "a.tflite", few, "low")
    assert written(float_file, tmp_path / "b.tflite", few, "default")[0] == plain


def test_the_samples_that_choose_are_no_others_and_as_many_as_named():
    numbers = Calibration(lambda: ({"x": np.array(i)} for i in range(300)), 300)
    choosing = [int(one["x"]) for one in numbers.choosing or ()]
    fitting = [int(one["x"]) for one in numbers.fitting]
    assert sorted(choosing + fitting) == list(range(300))
    assert len(choosing) == 33


@pytest.fixture(scope="module")
def float_onnx(graph):
    return onnx.prepare(graph)


def test_onnx_is_simulated_and_chosen_the_same_way(float_onnx, calibration, samples, tmp_path):
    plain, _ = quantized(float_onnx, onnx_ranges(float_onnx, calibration), 8)
    simulated = SimulatedOnnx(float_onnx, plain)
    expected = onnx_engine.answers(float_onnx, samples[:8])
    everything = frozenset(simulated.net.rounded)
    found = noise_between(expected, (simulated.run(one, everything) for one in samples[:8]))
    real = noise_between(expected, onnx_engine.answers(plain, samples[:8]))
    assert found.sqnr_db == pytest.approx(real.sqnr_db, abs=1.5)


def test_kernels_of_onnx_layers_in_float_are_stored_as_integers(
    float_onnx, calibration, samples, tmp_path
):
    ranges = onnx_ranges(float_onnx, calibration)
    last = next(one for one in reversed(float_onnx.graph.node) if one.op_type == "Conv")
    model, _ = quantized(float_onnx, ranges, 8, frozenset({last.name}))
    (conv,) = (one for one in model.graph.node if one.name == last.name)
    makers = {name: node for node in model.graph.node for name in node.output}
    assert makers[conv.input[1]].op_type == "Mul"
    plain, _ = quantized(float_onnx, ranges, 8)
    assert model.ByteSize() < plain.ByteSize() + 1000
    expected = onnx_engine.answers(float_onnx, samples[64:])
    assert noise_between(expected, onnx_engine.answers(model, samples[64:])).sqnr_db > 20


def test_weights_of_onnx_take_all_bits_where_that_gains_and_notes_say_so(
    float_onnx, calibration, tmp_path
):
    low = onnx.write(float_onnx, "int8", tmp_path / "a.onnx", calibration, "float", "low")
    high = onnx.write(float_onnx, "int8", tmp_path / "b.onnx", calibration, "float", "default")
    assert not any("8 bits" in note for note in low)
    assert any("weights take all 8 bits" in note for note in high)


def test_a_note_counts_what_stays_in_float_by_its_kind():
    net = chain(10, 0, 0)
    note = floats_note(net, {"o0", "o1", "o2"}, "because")
    assert note == "3 of 3 operators compute in float (2 RELU, 1 CONV_2D): because"
