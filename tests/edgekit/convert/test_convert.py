"""`edgekit convert`: what comes out, what is kept, what is said."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import brotli
import keras
import numpy as np
import pytest
from conftest import Answer, listing
from keras import layers
from PIL import Image

from edgekit.bundle.bundle import load_bundle
from edgekit.convert.judging import LOW_SQNR_DB
from edgekit_runtimes.tensors import Array

Cli = Callable[..., Answer]
Bundles = Callable[..., Path]
SavedModels = Callable[[str], Path]

FAILED = 3
QUICK = ("--to", "tflite", "--recipe", "fp32")
EVERY_RECIPE = "fp32,fp16,int8-weights,int8-dynamic,int8,int16x8,int4-dynamic,fp32+prune50"


def statuses(bundle: Path) -> dict[str, str]:
    return {record.id: record.status for record in load_bundle(bundle).artifacts}


def save(path: Path, inputs: object, outputs: object) -> Path:
    keras.Model(inputs, outputs).save(path)
    return path


# --- Formats and recipes ------------------------------------------------------------------------


def test_every_format_has_its_recipes_and_says_which_it_does_not_have(bundles: Bundles) -> None:
    assert statuses(bundles("dense_net", "--recipe", EVERY_RECIPE)) == {
        "tflite/fp32": "ok",
        "tflite/fp16": "ok",
        "tflite/int8-weights": "ok",
        "tflite/int8-dynamic": "ok",
        "tflite/int8": "ok",
        "tflite/int16x8": "ok",
        "tflite/int4-dynamic": "ok",
        "tflite/fp32+prune50": "ok",
        "tfjs/fp32": "ok",
        "tfjs/fp16": "ok",
        "tfjs/int8-weights": "ok",
        "tfjs/int8-dynamic": "not available",
        "tfjs/int8": "not available",
        "tfjs/int16x8": "not available",
        "tfjs/int4-dynamic": "not available",
        "tfjs/fp32+prune50": "ok",
        "onnx/fp32": "ok",
        "onnx/fp16": "ok",
        "onnx/int8-weights": "ok",
        "onnx/int8-dynamic": "ok",
        "onnx/int8": "ok",
        "onnx/int16x8": "not available",
        "onnx/int4-dynamic": "ok",
        "onnx/fp32+prune50": "ok",
    }


def test_the_artifacts_agree_with_the_original_as_well_as_their_recipe_lets_them(
    bundles: Bundles,
) -> None:
    least = {"fp32": 100, "fp16": 60, "int8-weights": 35, "int8-dynamic": 30, "int8": 25}
    least |= {"int16x8": 35, "int4-dynamic": 10, "fp32+prune50": 8}
    for record in load_bundle(bundles("dense_net", "--recipe", EVERY_RECIPE)).artifacts:
        if record.status == "ok":
            assert record.fidelity is not None
            judged = record.fidelity.outputs["class"]
            assert judged.samples == 16
            assert judged.sqnr_db > least[record.recipe], record.id
            assert record.fidelity.sqnr_db == judged.sqnr_db


def test_pruning_makes_the_download_smaller_and_the_file_not(bundles: Bundles) -> None:
    records = load_bundle(bundles("dense_net", "--recipe", EVERY_RECIPE)).artifacts
    sizes = {record.id: (record.bytes, record.wire) for record in records if record.wire}
    for name in ("tflite", "tfjs", "onnx"):
        whole, pruned = sizes[f"{name}/fp32"], sizes[f"{name}/fp32+prune50"]
        assert pruned[0] == pytest.approx(whole[0], rel=0.02)
        assert pruned[1].brotli < 0.7 * whole[1].brotli


def test_without_options_there_are_three_recipes_and_with_data_int8_too(
    cli: Cli, saved_models: SavedModels, samples_file: SavedModels, tmp_path: Path
) -> None:
    model = saved_models("dense_net")
    cli("convert", model, "--to", "onnx")
    three = ["onnx/fp32", "onnx/fp16", "onnx/int8-weights"]
    assert list(statuses(tmp_path / "dense_net.edgekit")) == three
    cli("convert", model, "--to", "onnx", "--calibration", samples_file("dense_net"), "--force")
    assert list(statuses(tmp_path / "dense_net.edgekit")) == [*three, "onnx/int8"]


def test_a_recipe_that_a_format_does_not_have_is_a_row_and_not_a_failure(
    cli: Cli, saved_models: SavedModels
) -> None:
    answer = cli("convert", saved_models("dense_net"), "--recipe", "int8-dynamic")
    assert answer.exit_code == 0
    assert "tfjs/int8-dynamic  not available: TF.js stores quantized weights and " in answer.out


def test_a_reason_that_holds_for_several_rows_is_said_once(
    cli: Cli, saved_models: SavedModels
) -> None:
    recipes = "int8-dynamic,int8-dynamic+prune50"
    answer = cli("convert", saved_models("dense_net"), "--recipe", recipes)
    (line,) = (line for line in answer.out.splitlines() if "not available" in line)
    assert line.startswith("tfjs/int8-dynamic, tfjs/int8-dynamic+prune50  not available: TF.js ")


def test_nothing_but_what_is_not_available_is_a_failure_and_leaves_nothing(
    refused: Callable[..., tuple[str, int]], saved_models: SavedModels
) -> None:
    model = saved_models("dense_net")
    message, code = refused("convert", model, "--to", "tfjs", "--recipe", "int8-dynamic")
    assert message.startswith(f"No artifact could be made of {model}. tfjs/int8-dynamic: TF.js ")
    assert code == FAILED


def test_an_artifact_that_fails_is_a_row_and_the_others_are_made(cli: Cli, tmp_path: Path) -> None:
    x = keras.Input((8,), name="x")
    # TFLite and TF.js have no determinant; ONNX has.
    matrix = layers.Reshape((2, 2), name="square")(layers.Dense(4)(x))
    save(tmp_path / "det.keras", x, layers.Dense(3)(x) * keras.ops.det(matrix)[:, None])
    words = ("convert", "det.keras", "--to", "tflite,onnx", "--recipe", "fp32,fp16")
    for _ in range(2):
        answer = cli(*words)
        assert answer.exit_code == FAILED
        assert statuses(tmp_path / "det.edgekit") == {
            "tflite/fp32": "failed",
            "tflite/fp16": "failed",
            "onnx/fp32": "ok",
            "onnx/fp16": "ok",
        }
        assert (
            "tflite/fp32, tflite/fp16  failed: TFLite has no operator for: "
            "MatrixDeterminant (after square"
        ) in answer.out
        assert "Replace those layers, or leave the format out with --to.\n" in answer.out
        assert not (tmp_path / "det.edgekit" / "tflite").exists()
        assert not list((tmp_path / "det.edgekit").glob(".*"))
    assert cli(*words, "--to", "onnx").exit_code == 0


def test_low_fidelity_is_a_warning_with_what_to_try(cli: Cli, tmp_path: Path) -> None:
    x = keras.Input((2,), name="x")
    # The large input means nothing, and the small one is lost between two steps of its scale.
    kernel = keras.initializers.Constant(np.array([[0, 0], [1, -1]], np.float32))
    save(tmp_path / "net.keras", x, layers.Dense(2, name="y", kernel_initializer=kernel)(x))
    generator = np.random.default_rng(0)
    samples = np.stack([generator.uniform(-1e4, 1e4, 400), generator.standard_normal(400)], 1)
    np.savez(tmp_path / "data.npz", x=samples.astype(np.float32))
    words = ("--to", "tflite", "--recipe", "fp32,int8", "--calibration", "data.npz")
    answer = cli("convert", "net.keras", *words, "--effort", "low")
    assert answer.exit_code == 0
    fp32, int8 = load_bundle(tmp_path / "net.edgekit").artifacts
    assert not fp32.notes
    assert int8.fidelity is not None
    assert int8.fidelity.sqnr_db < LOW_SQNR_DB
    (note,) = int8.notes
    assert note.kind == "low fidelity"
    assert str(note).startswith("warning: fidelity is low (SQNR ")
    assert str(note).endswith(" dB, under 10 dB): try int8-weights or int16x8 or fp16")
    assert f"tflite/int8  {note}\n" in answer.out


# --- What is kept -------------------------------------------------------------------------------


@pytest.fixture
def own_bundle(bundles: Bundles, tmp_path: Path) -> Path:
    """A bundle with two artifacts that a test may change; its source is the test's to name."""
    made = bundles("dense_net", "--to", "tflite,tfjs", "--recipe", "fp32")
    return Path(shutil.copytree(made, tmp_path / "net.edgekit"))


@pytest.fixture
def again(
    cli: Cli, saved_models: SavedModels, samples_file: SavedModels, own_bundle: Path
) -> Callable[..., Answer]:
    """Convert again into `own_bundle`."""
    data = ("--calibration", samples_file("dense_net"))
    made = ("--effort", "low", "-o", "net.edgekit", "--recipe", "fp32")
    return lambda *more: cli("convert", saved_models("dense_net"), *data, *made, *more)


def test_finished_artifacts_are_kept_and_new_ones_join_them(
    again: Callable[..., Answer], own_bundle: Path
) -> None:
    before = {name: listing(own_bundle / name) for name in ("tflite", "tfjs", "golden")}
    assert again("--to", "tflite,tfjs,onnx").exit_code == 0
    assert {name: listing(own_bundle / name) for name in before} == before
    assert list(statuses(own_bundle)) == ["tflite/fp32", "tfjs/fp32", "onnx/fp32"]


@pytest.mark.parametrize("change", ["gone", "changed", "one file of a folder gone"])
def test_an_artifact_that_is_not_as_it_was_is_made_again(
    again: Callable[..., Answer], own_bundle: Path, change: str
) -> None:
    whole = (own_bundle / "tflite/fp32.tflite").read_bytes()
    match change:
        case "gone":
            (own_bundle / "tflite/fp32.tflite").unlink()
        case "changed":
            (own_bundle / "tflite/fp32.tflite").write_bytes(b"changed")
        case _:
            next((own_bundle / "tfjs/fp32").glob("*.bin")).unlink()
    assert again("--to", "tflite,tfjs").exit_code == 0
    assert (own_bundle / "tflite/fp32.tflite").read_bytes() == whole
    assert list((own_bundle / "tfjs/fp32").glob("*.bin"))


def test_force_starts_over(again: Callable[..., Answer], own_bundle: Path) -> None:
    assert again("--to", "onnx", "--force").exit_code == 0
    assert statuses(own_bundle) == {"onnx/fp32": "ok"}
    assert not (own_bundle / "tflite").exists()


def test_the_source_is_loaded_once_for_all_artifacts(
    cli: Cli, saved_models: SavedModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []
    load = keras.saving.load_model

    def count(path: Path, **options: object) -> keras.Model:
        loaded.append(path)
        return load(path, **options)

    monkeypatch.setattr(keras.saving, "load_model", count)
    assert cli("convert", saved_models("dense_net"), "--recipe", "fp32,fp16+prune30").exit_code == 0
    assert loaded == [saved_models("dense_net")]


# --- The manifest -------------------------------------------------------------------------------


def test_sizes_and_hashes_are_those_of_the_files(bundles: Bundles) -> None:
    bundle = bundles("dense_net", "--to", "tflite,tfjs", "--recipe", "fp32")
    tflite, tfjs = load_bundle(bundle).artifacts
    content = (bundle / "tflite/fp32.tflite").read_bytes()
    assert tflite.path == "tflite/fp32.tflite"
    assert tflite.bytes == len(content)
    assert tflite.sha256 == hashlib.sha256(content).hexdigest()
    files = [file.read_bytes() for file in (bundle / "tfjs/fp32").iterdir()]
    assert tfjs.path == "tfjs/fp32"
    assert tfjs.bytes == sum(map(len, files))
    for record, contents in ((tflite, [content]), (tfjs, files)):
        assert record.wire is not None
        # Each file is a separate download. The sizes are those of common levels.
        gzipped = sum(len(gzip.compress(one, 6)) for one in contents)
        assert record.wire.gzip == gzipped
        assert record.wire.brotli == sum(len(brotli.compress(one, quality=5)) for one in contents)


def test_the_source_is_named_relative_to_the_bundle(
    cli: Cli, saved_models: SavedModels, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    shutil.copy(saved_models("dense_net"), tmp_path / "models" / "net.keras")
    cli("convert", "models/net.keras", *QUICK, "-o", "out/small/net.edgekit")
    manifest = load_bundle(tmp_path / "out/small/net.edgekit").manifest
    assert manifest.source["path"] == "../../../models/net.keras"
    assert manifest.source["kind"] == "keras"
    content = saved_models("dense_net").read_bytes()
    assert manifest.source["sha256"] == hashlib.sha256(content).hexdigest()
    assert manifest.name == "net"
    assert manifest.tools["tensorflow"][0].isdigit()


@pytest.mark.parametrize(
    ("source", "bundle"), [("net.v2.keras", "net.v2.edgekit"), ("saved.v2", "saved.v2.edgekit")]
)
def test_the_bundle_is_named_after_its_source(
    cli: Cli, saved_models: SavedModels, tmp_path: Path, source: str, bundle: str
) -> None:
    if source.endswith(".keras"):
        shutil.copy(saved_models("dense_net"), tmp_path / source)
    else:
        keras.saving.load_model(saved_models("dense_net")).export(tmp_path / source, verbose=False)
    assert cli("convert", source, *QUICK).exit_code == 0
    assert (tmp_path / bundle / "tflite" / "fp32.tflite").is_file()


def test_json_is_the_manifest_and_nothing_else(
    cli: Cli, saved_models: SavedModels, tmp_path: Path
) -> None:
    answer = cli("convert", saved_models("dense_net"), *QUICK, "--json")
    manifest = json.loads((tmp_path / "dense_net.edgekit" / "edgekit.json").read_text())
    assert json.loads(answer.out) == manifest


def test_two_inputs_and_two_outputs_keep_their_names(bundles: Bundles) -> None:
    bundle = load_bundle(bundles("two_in_two_out", "--recipe", "fp32"))
    assert [str(spec) for spec in bundle.manifest.inputs] == [
        "image: float32[?, 16, 16, 3]",
        "meta: float32[?, 5]",
    ]
    assert [spec.name for spec in bundle.manifest.outputs] == ["zone", "age"]
    assert bundle.golden_inputs()["meta"].shape == (16, 5)
    assert {name: array.shape for name, array in bundle.golden_outputs().items()} == {
        "zone": (16, 3),
        "age": (16, 1),
    }
    for record in bundle.artifacts:
        assert record.fidelity is not None
        assert set(record.fidelity.outputs) == {"zone", "age"}
        assert record.fidelity.sqnr_db > 100


def test_a_recurrent_net_gets_batch_1_and_that_is_said(cli: Cli, saved_models: SavedModels) -> None:
    answer = cli("convert", saved_models("recurrent_net"), *QUICK)
    assert "input  steps: float32[1, 10, 6]\n" in answer.out
    assert (
        "note: the model has a loop (a recurrent layer), which TFLite takes only with a fixed "
        "batch: the batch is 1 in every artifact\n"
    ) in answer.out


def test_an_open_size_is_what_the_user_says(
    cli: Cli, saved_models: SavedModels, tmp_path: Path
) -> None:
    words = ("--input-shape", "image=1,20,24,3", "--recipe", "fp32")
    assert cli("convert", saved_models("any_size_net"), *words).exit_code == 0
    bundle = load_bundle(tmp_path / "any_size_net.edgekit")
    assert bundle.manifest.inputs[0].shape == (None, 20, 24, 3)
    assert set(statuses(bundle.folder).values()) == {"ok"}


def test_integer_inputs_and_outputs_are_those_of_int8_tflite_only(bundles: Bundles) -> None:
    bundle = load_bundle(
        bundles("dense_net", "--io", "int8", "--to", "tflite,onnx", "--recipe", "fp32,int8,int16x8")
    )
    made = {record.id: record for record in bundle.artifacts if record.status == "ok"}
    assert {record.id for record in made.values() if record.io == "int8"} == {"tflite/int8"}
    assert made["tflite/int8"].fidelity is not None
    assert made["tflite/int8"].fidelity.sqnr_db > 20


# --- Golden samples and data --------------------------------------------------------------------


def test_golden_samples_are_the_user_s_in_their_own_dtype(
    cli: Cli, saved_models: SavedModels, tmp_path: Path
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (260, 28, 28, 1), np.uint8)
    np.savez(tmp_path / "data.npz", x=images, y=np.arange(260) % 10)
    answer = cli("convert", saved_models("conv_net"), *QUICK, "--calibration", "data.npz")
    assert answer.exit_code == 0
    assert "float32" not in answer.err
    assert (
        "note: 64 samples are held back from calibration: fidelity is judged on them, and 196 "
        "others calibrate\n"
    ) in answer.out
    bundle = load_bundle(tmp_path / "conv_net.edgekit")
    assert bundle.manifest.golden.kind == "calibration"
    assert bundle.manifest.golden.count == 64
    assert bundle.manifest.golden.held_back
    golden = np.load(bundle.folder / "golden/inputs/image.npy")
    assert golden.dtype == np.uint8
    assert golden.shape == (64, 28, 28, 1)
    assert {one.tobytes() for one in golden} <= {one.tobytes() for one in images}
    assert bundle.golden_outputs()["digit"].shape == (64, 10)


def test_of_few_samples_none_is_held_back_and_that_is_said(bundles: Bundles) -> None:
    bundle = load_bundle(bundles("dense_net", "--recipe", EVERY_RECIPE))
    assert not bundle.manifest.golden.held_back
    for record in bundle.artifacts:
        kinds = [note.kind for note in record.notes if note.is_warning]
        is_calibrated = record.status == "ok" and record.recipe in ("int8", "int16x8")
        assert kinds == (["few samples", "seen in calibration"] if is_calibrated else [])


def test_golden_samples_are_at_most_8_megabytes(
    cli: Cli, saved_models: SavedModels, tmp_path: Path
) -> None:
    np.savez_compressed(tmp_path / "data.npz", x=np.ones((12, 350, 700, 3), np.float32))
    words = ("--input-shape", "image=1,350,700,3", "--calibration", "data.npz")
    assert cli("convert", saved_models("any_size_net"), *QUICK, *words).exit_code == 0
    bundle = load_bundle(tmp_path / "any_size_net.edgekit")
    # 2.94 MB each.
    assert bundle.manifest.golden.count == 2
    assert (bundle.folder / "golden/inputs/image.npy").stat().st_size < 8_000_000


def test_without_data_noise_is_stored_as_its_seed_and_made_again_bit_by_bit(
    cli: Cli, saved_models: SavedModels, tmp_path: Path
) -> None:
    answer = cli("convert", saved_models("dense_net"), *QUICK)
    assert "note: fidelity was judged on noise. With --calibration DATA it is judged" in answer.out
    bundle = load_bundle(tmp_path / "dense_net.edgekit")
    golden = bundle.manifest.golden
    assert (golden.kind, golden.seed) == ("noise", 0)
    assert golden.generator == "numpy.PCG64/sum-of-12-uint16"
    assert not (bundle.folder / "golden/inputs").exists()
    inputs = bundle.golden_inputs()["features"]
    assert inputs.shape == (golden.count, 64)
    # The first bits, worked out from PCG64 alone: twelve uint16 a value.
    raw = np.random.PCG64([0, 0]).random_raw(3).astype("<u8").view("<u2").astype(np.int64)
    assert inputs[0, 0] == np.float32((raw.sum() - 12 * 65535 // 2) / 65536)
    model = keras.saving.load_model(saved_models("dense_net"))
    expected = model.predict(inputs, verbose=0)
    np.testing.assert_allclose(bundle.golden_outputs()["class"], expected, atol=1e-6)


def test_preprocessing_is_recorded_and_done_before_the_original_answers(
    cli: Cli, saved_models: SavedModels, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 40, 40), np.uint8)
    for number, image in enumerate(pixels):
        folder = tmp_path / "photos" / ("cat" if number % 2 else "dog")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
    words = ("--calibration", "photos", "--scale", "0.5", "--mean", "3", "--std", "4")
    answer = cli("convert", saved_models("conv_net"), *QUICK, *words)
    assert answer.exit_code == 0
    assert "note: Images are resized to the model's 28 x 28.\n" in answer.out
    bundle = load_bundle(tmp_path / "conv_net.edgekit")
    assert bundle.manifest.preprocessing.to_json() == {
        "scale": 0.5,
        "mean": [3.0],
        "std": [4.0],
        "resize": [28, 28],
    }
    golden: Array = bundle.golden_inputs()["image"]
    assert (golden.dtype, golden.shape) == (np.dtype(np.uint8), (6, 28, 28, 1))
    model = keras.saving.load_model(saved_models("conv_net"))
    expected = model.predict((golden.astype(np.float32) * 0.5 - 3) / 4, verbose=0)
    np.testing.assert_allclose(bundle.golden_outputs()["digit"], expected, atol=1e-5)
    (record,) = bundle.artifacts
    assert record.fidelity is not None
    assert record.fidelity.sqnr_db > 100


def test_a_function_of_the_user_s_serves_as_calibration_data(
    cli: Cli, saved_models: SavedModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "my_samples.py").write_text(
        "import numpy as np\n"
        "def samples():\n"
        "    for number in range(5):\n"
        "        yield {'features': np.full(64, number, np.int8)}\n"
    )
    words = ("--to", "tflite", "--recipe", "int8", "--calibration", "my_samples:samples")
    assert cli("convert", saved_models("dense_net"), *words).exit_code == 0
    golden = load_bundle(tmp_path / "dense_net.edgekit").golden_inputs()["features"]
    assert golden.dtype == np.int8
    assert golden[:, 0].tolist() == [0, 1, 2, 3, 4]


def test_class_names_are_kept_in_their_order(
    cli: Cli, saved_models: SavedModels, tmp_path: Path
) -> None:
    (tmp_path / "names.txt").write_text("zebra\nant \n\nÄffchen\nbee\n", encoding="utf-8")
    words = ("--classes", "names.txt")
    assert cli("convert", saved_models("dense_net"), *QUICK, *words).exit_code == 0
    manifest = load_bundle(tmp_path / "dense_net.edgekit").manifest
    assert manifest.classes == ("zebra", "ant", "Äffchen", "bee")
