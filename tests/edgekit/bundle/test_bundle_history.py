"""Bundles of every version: the manifest of each was made by the edgekit that wrote it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edgekit.bundle import golden
from edgekit.bundle.bundle import load_bundle
from edgekit.bundle.history import MANIFEST_SCHEMA_VERSION, UPGRADES
from edgekit.bundle.notes import Note
from edgekit_runtimes.errors import ArtifactError

VERSIONS = Path(__file__).parent / "versions"
NUMBERS = [*UPGRADES, MANIFEST_SCHEMA_VERSION]
QUICK = ("--to", "tflite", "--recipe", "fp32")


def form_of(version):
    return json.loads((VERSIONS / f"{version}.json").read_text())


def write(folder, form):
    folder.mkdir(exist_ok=True)
    (folder / "edgekit.json").write_text(json.dumps(form))
    return folder


@pytest.mark.parametrize("version", NUMBERS)
def test_a_manifest_of_every_version_opens_with_its_warnings_as_values(tmp_path, version):
    assert form_of(version)["schema"] == version
    bundle = load_bundle(write(tmp_path / "digits.edgekit", form_of(version)))
    rows = {row.id: row for row in bundle.artifacts}
    assert rows["tfjs/int8"].status == "not available"
    assert rows["tflite/int8"].fidelity.sqnr_db == pytest.approx(30.6, abs=0.1)
    (note,) = rows["tflite/int8+prune99"].notes
    assert (note.kind, note.advice) == ("low fidelity", "prune less")
    assert note.figures == {
        "sqnr_db": pytest.approx(-0.2, abs=0.05),
        "limit_db": 10.0,
    }
    assert str(note) == "warning: fidelity is low (SQNR -0.2 dB, under 10 dB): prune less"


@pytest.mark.parametrize("sqnr", ["-inf", "3.0"])
def test_other_notes_of_version_1_become_notes_with_their_text(tmp_path, sqnr):
    form = form_of(1)
    warning = f"warning: fidelity is low (SQNR {sqnr} dB, under 10 dB): try fp16"
    form["artifacts"][0]["notes"] = ["its loop is unrolled: 28 times", warning]
    bundle = load_bundle(write(tmp_path / "digits.edgekit", form))
    plain, low = bundle.artifacts[0].notes
    assert plain == Note("note", "its loop is unrolled: 28 times")
    assert low.figures["sqnr_db"] == float(sqnr)
    assert str(low) == warning


def test_a_damaged_manifest_of_version_1_is_one_sentence(tmp_path):
    bundle = write(tmp_path / "digits.edgekit", {**form_of(1), "artifacts": [7]})
    with pytest.raises(ArtifactError, match=r"is not a valid form of version 1\. Convert aga"):
        load_bundle(bundle)


def test_a_bundle_of_version_1_is_inspected_benched_and_continued(
    cli, bundles, saved_models, samples_file, short_plan, tmp_path
):
    bundle = Path(shutil.copytree(bundles("dense_net", *QUICK), tmp_path / "net.edgekit"))
    old = {**json.loads((bundle / "edgekit.json").read_text()), "schema": 1}
    old["artifacts"][0]["notes"] = ["as it was"]
    write(bundle, old)
    assert "tflite/fp32  as it was" in cli("inspect", "net.edgekit").out
    assert cli("bench", "net.edgekit", "--json").exit_code == 0
    data = ("--calibration", samples_file("dense_net"))
    made = ("--effort", "low", "-o", "net.edgekit")
    words = (*data, "--to", "tflite", "--recipe", "fp32,fp16", *made)
    assert cli("convert", saved_models("dense_net"), *words).exit_code == 0
    again = load_bundle(bundle)
    assert [row.id for row in again.artifacts] == ["tflite/fp32", "tflite/fp16"]
    assert again.artifacts[0].notes == (Note("note", "as it was"),)
    assert json.loads((bundle / "edgekit.json").read_text())["schema"] == MANIFEST_SCHEMA_VERSION


def test_a_bundle_whose_golden_samples_calibrated_it_is_continued_with_the_same_ones(
    cli, saved_models, tmp_path, monkeypatch
):
    np.savez(tmp_path / "data.npz", x=np.random.default_rng(0).normal(size=(40, 64)))
    data = ("--calibration", "data.npz")
    words = ("convert", saved_models("dense_net"), *data, "--to", "tflite", "-o", "net.edgekit")
    with monkeypatch.context() as before:
        before.setattr(golden, "how_many_to_hold_back", lambda total, golden: 0)
        assert cli(*words, "--recipe", "fp32").exit_code == 0
    bundle = tmp_path / "net.edgekit"
    form = json.loads((bundle / "edgekit.json").read_text())
    del form["golden"]["held_back"]
    write(bundle, form)
    assert cli(*words, "--recipe", "fp32,int8").exit_code == 0
    again = load_bundle(bundle)
    assert (again.manifest.golden.count, again.manifest.golden.held_back) == (40, False)
    assert [row.id for row in again.artifacts] == ["tflite/fp32", "tflite/int8"]
    assert "seen in calibration" in {note.kind for note in again.artifacts[1].notes}
