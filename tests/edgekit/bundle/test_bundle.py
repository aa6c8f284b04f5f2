"""The bundle and its manifest: what is written fits the schema, and reads back the same."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles_by_hand import a_manifest, arrays
from jsonschema import Draft202012Validator

from edgekit.bundle.bundle import create_bundle, golden_file, load_bundle
from edgekit.bundle.manifest import SCHEMA_FILE, ArtifactRecord, Manifest, signature_of
from edgekit.bundle.notes import Note
from edgekit.bundle.recipe import parse_recipes
from edgekit.files import write_whole
from edgekit.forms import from_form
from edgekit_runtimes.errors import ArtifactError
from edgekit_runtimes.tensors import TensorSpec

SCHEMA: dict[str, Any] = json.loads(SCHEMA_FILE.read_text())
Bundles = Callable[..., Path]

REMOVED = object()
# Fields of a row that go together.
OF_STATUS = [
    (name,) for name in ("status", "reason", "path", "sha256", "bytes", "wire", "fidelity")
]


# --- The schema ---------------------------------------------------------------------------------


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("two_in_two_out", ("--recipe", "fp32,int8-dynamic,int8+prune50")),
        ("recurrent_net", ("--recipe", "fp32,int8")),
        ("dense_net", ("--recipe", "int8", "--io", "int8", "--scale", "0.5", "--mean", "1")),
    ],
)
def test_every_manifest_fits_the_schema_and_reads_back_the_same(
    bundles: Bundles, name: str, words: tuple[str, ...]
) -> None:
    form = json.loads((bundles(name, *words) / "edgekit.json").read_text())
    Draft202012Validator(SCHEMA).validate(form)
    assert from_form(form, Manifest).to_json() == form


def test_failed_rows_and_free_sizes_fit_the_schema() -> None:
    form = a_manifest().to_json()
    Draft202012Validator(SCHEMA).validate(form)
    assert form["signature"]["inputs"][0]["layout"] == "NHWC"


def places(form: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value of a JSON form."""
    yield at
    if isinstance(form, dict | list):
        for key in form if isinstance(form, dict) else range(len(form)):
            yield from places(form[key], (*at, key))


def changed(form: Any, at: tuple[Any, ...], value: Any) -> Any:
    """Return a copy with another value at a place, or with nothing there."""
    if not at:
        return value
    result = copy.deepcopy(form)
    inner = result
    for key in at[:-1]:
        inner = inner[key]
    if value is REMOVED:
        del inner[at[-1]]
    else:
        inner[at[-1]] = value
    return result


def fits(form: Any) -> bool:
    try:
        from_form(form, Manifest)
    except ValueError:
        return False
    return True


def test_what_the_types_refuse_the_schema_refuses_too(bundles: Bundles) -> None:
    bundle = bundles("dense_net", "--to", "tflite,tfjs", "--recipe", "int8")
    form = json.loads((bundle / "edgekit.json").read_text())
    validator = Draft202012Validator(SCHEMA)
    refused = 0
    for at in places(form):
        for value in (REMOVED, None, "x", -1, 3.5, [], {}, True, ["x"], {"x": 1}):
            if not at and value is REMOVED:
                continue
            damaged = changed(form, at, value)
            if not fits(damaged):
                refused += 1
                # What a row must have depends on its status, which the schema does not say.
                is_of_status = at[:1] == ("artifacts",) and at[2:] in OF_STATUS
                assert is_of_status or not validator.is_valid(damaged), (at, value)
    assert refused > 500


@pytest.mark.parametrize(
    ("name", "value"), [("sha256", None), ("reason", "why"), ("status", "failed"), ("path", None)]
)
def test_a_row_that_does_not_fit_its_status_is_refused(
    bundles: Bundles, name: str, value: str | None
) -> None:
    bundle = bundles("dense_net", "--to", "tflite,tfjs", "--recipe", "int8")
    form = json.loads((bundle / "edgekit.json").read_text())
    form["artifacts"][0][name] = value
    with pytest.raises(ValueError, match=r"of tflite/int8 does not fit its status"):
        from_form(form, Manifest)


def test_a_note_is_printed_as_a_sentence() -> None:
    advice = {"kind": "low fidelity", "text": "fidelity is low", "advice": "try fp16"}
    assert str(from_form(advice, Note)) == "warning: fidelity is low: try fp16"
    assert str(Note("note", "weights only")) == "weights only"


# --- The folder ---------------------------------------------------------------------------------


def test_a_bundle_reads_back_as_it_was_written(tmp_path: Path) -> None:
    inputs, outputs = arrays()
    made = create_bundle(tmp_path / "net.edgekit", a_manifest(), inputs, outputs)
    assert load_bundle(tmp_path / "net.edgekit") == made
    assert list(tmp_path.iterdir()) == [tmp_path / "net.edgekit"]
    np.testing.assert_array_equal(made.golden_outputs()["class"], outputs["class"])


def test_rows_stand_in_the_order_of_formats_pruning_and_recipes(tmp_path: Path) -> None:
    bundle = create_bundle(tmp_path / "net.edgekit", a_manifest(artifacts=()), *arrays())
    recipes = [str(recipe) for recipe in parse_recipes("int8+prune50,int8,fp32+prune50,fp32")]
    for name in ("onnx", "tflite"):
        for recipe in recipes:
            bundle = bundle.with_artifact(
                ArtifactRecord(f"{name}/{recipe}", name, recipe, "failed", "no reason")
            )
    order = ["fp32", "int8", "fp32+prune50", "int8+prune50"]
    expected = [f"{name}/{recipe}" for name in ("tflite", "onnx") for recipe in order]
    assert [row.id for row in load_bundle(bundle.folder).artifacts] == expected


def test_a_row_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    bundle = create_bundle(tmp_path / "net.edgekit", a_manifest(artifacts=()), *arrays())
    for reason in ("first", "second"):
        row = ArtifactRecord("onnx/fp32", "onnx", "fp32", "failed", reason)
        bundle = bundle.with_artifact(row)
    assert [row.reason for row in load_bundle(bundle.folder).artifacts] == ["second"]


@pytest.mark.parametrize("name", ["../../x", "a/b", "a b:0", "..", "Äffchen"])
def test_golden_files_stay_in_the_bundle_whatever_the_names(tmp_path: Path, name: str) -> None:
    file = golden_file(tmp_path, "inputs", name)
    assert file.resolve().parent == tmp_path / "golden" / "inputs"
    whole = a_manifest(artifacts=())
    manifest = replace(
        whole, signature=signature_of([TensorSpec(name, (None, 2), "float32")], whole.outputs)
    )
    made = create_bundle(tmp_path / "net.edgekit", manifest, {name: np.zeros((2, 2))}, arrays()[1])
    assert len(list(made.folder.rglob("*.npy"))) == 2
    assert len(list(tmp_path.iterdir())) == 1


def test_golden_samples_that_are_missing_are_reported(tmp_path: Path) -> None:
    made = create_bundle(tmp_path / "net.edgekit", a_manifest(), *arrays())
    golden_file(made.folder, "outputs", "class").write_bytes(b"")
    with pytest.raises(ArtifactError, match=r"has no readable golden outputs .*--force"):
        made.golden_outputs()


# --- Writing ------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_replaced_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path / "taken", b"new")
    assert [path.name for path in tmp_path.rglob("*")] == ["taken", "file"]


def test_a_bundle_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    inputs, outputs = arrays()
    outputs["class"] = np.array([object()])
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        create_bundle(tmp_path / "net.edgekit", a_manifest(), inputs, outputs)
    assert not any(tmp_path.iterdir())
