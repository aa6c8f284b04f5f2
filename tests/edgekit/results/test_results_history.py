"""Results files of every version, each made by the edgekit that wrote it and cut to few samples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit.results.history import RESULTS_SCHEMA_VERSION, UPGRADES
from edgekit.results.results import load_results
from edgekit_runtimes.errors import ArtifactError

VERSIONS = Path(__file__).parent / "versions"
NUMBERS = [*UPGRADES, RESULTS_SCHEMA_VERSION]


def file_of(version: int) -> Path:
    return VERSIONS / f"{version}.json"


@pytest.mark.parametrize("version", NUMBERS)
def test_a_file_of_every_version_opens(version):
    assert json.loads(file_of(version).read_text())["schema"] == version
    results = load_results(file_of(version))
    assert {row.id: row.status for row in results.rows} == {
        "original": "ok",
        "tflite/fp32": "ok",
        "tflite/int8": "ok",
        "tflite/int8+prune99": "failed",
        "tfjs/fp32": "not available",
    }
    assert results.failed
    int8 = results.rows[2]
    assert int8.key == ("host", "litert", "tflite/int8")
    assert int8.ratio_to_fp32.verdict == "faster"
    assert int8.fidelity.outputs["digit"].top1 == 1.0
    assert int8.execution.nodes > 0


@pytest.mark.parametrize("version", NUMBERS)
def test_a_file_of_every_version_is_written_as_the_newest(version, tmp_path):
    results = load_results(file_of(version))
    results.save(tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text())["schema"] == RESULTS_SCHEMA_VERSION
    assert load_results(tmp_path / "again.json") == results


@pytest.mark.parametrize("version", NUMBERS)
def test_report_check_and_compare_open_every_version(cli, version):
    path = file_of(version)
    assert "tflite/int8+prune99: failed: litert cannot load" in cli("report", path).out
    check = cli("check", path, "--gate", "tflite/int8 size<=1MB", "--gate", "prune99 size<=1MB")
    assert check.exit_code == 1
    compared = cli("compare", path, file_of(RESULTS_SCHEMA_VERSION))
    assert compared.exit_code == 0
    assert "tflite/int8" in compared.out


@pytest.mark.parametrize("change", [{"rows": 3}, {"rows": [{}]}, {"rows": [5]}])
def test_a_damaged_file_of_an_older_version_is_one_sentence(tmp_path, change):
    path = tmp_path / "old.json"
    path.write_text(json.dumps({**json.loads(file_of(1).read_text()), **change}))
    with pytest.raises(ArtifactError, match=r"is not a valid form of version 1\. Bench again"):
        load_results(path)


def test_characters_and_numbers_that_json_lacks_are_still_read_in_version_1(tmp_path):
    form = json.loads(file_of(1).read_text())
    form["rows"][0]["reasons"] = [{"code": "a", "text": "of \ud800", "facts": {"x": float("nan")}}]
    path = tmp_path / "old.json"
    path.write_text(json.dumps(form))
    assert load_results(path).rows[0].reasons[0].text == "of \ud800"
