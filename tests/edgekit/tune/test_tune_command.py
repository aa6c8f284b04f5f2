"""`edgekit tune` from end to end, on a small net."""

import json

import numpy as np
import pytest

import edgekit
from edgekit import api

pytestmark = pytest.mark.slow
COUNT = 1_600


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A net of four dense layers, and labels that are its own answers nine times of ten."""
    import keras
    from keras import layers

    folder = tmp_path_factory.mktemp("tune")
    keras.utils.set_random_seed(6)
    model = keras.Sequential(
        [keras.Input((24,), name="features")]
        + [layers.Dense(64, activation="relu") for _ in range(3)]
        + [layers.Dense(6, name="class")]
    )
    model.save(folder / "net.keras")
    generator = np.random.default_rng(1)
    x = generator.normal(size=(COUNT, 24)).astype(np.float32)
    y = model.predict(x, verbose=0).argmax(axis=1)
    wrong = generator.random(COUNT) < 0.1
    np.savez(folder / "data.npz", x=x, y=np.where(wrong, (y + 1) % 6, y))
    np.savez(folder / "calibration.npz", x=x[:128])
    return folder


@pytest.fixture(scope="module")
def tuned(source):
    lines = []
    result = api.tune(
        source / "net.keras",
        source / "tuned.edgekit",
        calibration=source / "calibration.npz",
        data=source / "data.npz",
        max_drop="3%",
        effort="low",
        jobs=2,
        front=lines.append,
    )
    return result, lines


def test_the_winner_is_promised_and_smaller_than_every_uniform_recipe_that_is(tuned):
    result, lines = tuned
    record = result.record
    (winner,) = [row for row in record.tried if row.artifact]
    assert result.met
    assert winner.outcome == "promised"
    assert winner.bound <= 0.03
    assert (record.searched, record.judged, record.labelled) == (400, 1200, True)
    fp16 = next(row for row in record.tried if row.id == "tflite/fp16")
    assert winner.costs["size"] < fp16.costs["size"]
    assert lines[-1].startswith(f"tflite: {len(record.tried)} tried, best size ")
    (row,) = [row for row in result.bundle.artifacts if row.plan and row.recipe != "fp32"]
    assert (row.id, row.plan) == (winner.artifact, winner.plan)


def test_its_plan_makes_it_again_bit_for_bit(tuned, source):
    result, _ = tuned
    again = edgekit.convert(
        source / "net.keras",
        source / "again.edgekit",
        plan=result.bundle.folder,
        to="tflite",
        effort="low",
        calibration=source / "calibration.npz",
    )
    hashes = {row.id: row.sha256 for row in result.bundle.artifacts}
    assert {row.id: row.sha256 for row in again.artifacts} == hashes


def test_report_shows_what_was_tried_and_why_it_was_not_chosen(tuned, cli):
    result, _ = tuned
    answer = cli("report", result.bundle.folder)
    assert answer.exit_code == 0
    assert "400 labels searched, 1200 others judged" in answer.out
    assert "tflite/tuned-size  promised" in answer.out
    assert "rejected: loses" in answer.out


def test_nothing_of_the_search_is_left_beside_the_bundle(tuned, source):
    assert not [path for path in source.iterdir() if ".search" in path.name]


def test_a_budget_that_nothing_meets_names_the_nearest_and_ends_with_3(source, cli):
    answer = cli(
        *("tune", source / "net.keras", "--data", source / "data.npz", "--min-sqnr", "120"),
        *("-o", source / "none.edgekit", "--effort", "low"),
    )
    assert answer.exit_code == 3
    assert "tflite: nothing but fp32 keeps to --min-sqnr 120; the nearest is fp16 (" in answer.out
    assert json.loads((source / "none.edgekit" / "tune.json").read_text())["tried"]


def test_time_is_measured_on_the_device_as_a_share_of_fp32s(source, short_plan):
    result = api.tune(
        source / "net.keras",
        source / "timed.edgekit",
        calibration=source / "calibration.npz",
        data=source / "data.npz",
        min_sqnr=25,
        minimize="time,size",
        on="host",
        effort="low",
    )
    costs = {row.id: row.costs for row in result.record.tried}
    assert costs["tflite/fp32"]["time"] == 1.0
    assert all(row["time"] > 0 and row["size"] > 0 for row in costs.values())
    chosen = {row.artifact: row for row in result.record.tried if row.artifact}
    names = {one.recipe for one in result.bundle.artifacts if one.status == "ok"} - {"fp32"}
    assert names <= {"tuned-time", "tuned-size"}
    assert all(row.outcome == "promised" and row.sqnr_db >= 25 for row in chosen.values())


def test_a_device_that_cannot_be_reached_is_said_before_anything_is_converted(source, cli):
    answer = cli(
        *("tune", source / "net.keras", "--data", source / "data.npz", "--minimize", "time"),
        *("--on", "nowhere"),
    )
    assert answer.exit_code == 2
    assert "Unknown device 'nowhere'" in answer.err


def test_onnx_leaves_layers_in_float_beside_int8_ones(source, tmp_path):
    from edgekit.bundle.plan import Plan
    from edgekit.convert.conversion import run_conversion
    from edgekit.convert.request import ConvertRequest

    recipes = [Plan("int8"), Plan("int8", {"MatMul 0": "int8-weights", "MatMul 1": "int8-weights"})]
    bundle = run_conversion(
        ConvertRequest(
            source / "net.keras",
            tmp_path / "o.edgekit",
            ("onnx",),
            tuple(one.as_recipe("onnx", one.key) for one in recipes),
            str(source / "calibration.npz"),
            effort="low",
        )
    )
    levels = {row.recipe: row.fidelity.sqnr_db for row in bundle.artifacts}
    plain, mixed = levels.pop("int8"), *levels.values()
    assert mixed > plain + 1


def test_a_plan_for_another_source_says_which_layer_is_not_there(source, tmp_path):
    from edgekit.bundle.plan import Plan
    from edgekit.convert.conversion import run_conversion
    from edgekit.convert.request import ConvertRequest
    from edgekit_runtimes.errors import ConversionError

    plan = Plan("int8-weights", {"elsewhere": "fp16"})
    request = ConvertRequest(
        source / "net.keras", tmp_path / "p.edgekit", ("tflite",), (plan.as_recipe("tflite", "it"),)
    )
    with pytest.raises(ConversionError, match="names the layer 'elsewhere', and the model has no"):
        run_conversion(request)
