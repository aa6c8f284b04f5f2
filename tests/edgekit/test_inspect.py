"""`edgekit inspect`: bundles and artifacts."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Answer

Cli = Callable[..., Answer]
Bundles = Callable[..., Path]


@pytest.fixture
def bundle(bundles: Bundles) -> Path:
    """A bundle with an artifact of each format, one of them with integer inputs."""
    return bundles("dense_net", "--recipe", "fp32,int8", "--io", "int8")


def test_a_bundle_shows_its_signature_its_artifacts_and_what_it_lacks(
    cli: Cli, bundle: Path
) -> None:
    answer = cli("inspect", bundle)
    assert answer.exit_code == 0
    lines = answer.out.splitlines()
    assert lines[0] == f"{bundle}  from ../../models0/dense_net.keras"
    assert lines[1:3] == [" input  features: float32[?, 64]", "output  class: float32[?, 4]"]
    assert lines[3].split() == ["artifact", "bytes", "gzip", "brotli", "top-1", "SQNR", "dB"]
    rows = {line.split()[0]: line for line in lines[4:]}
    assert list(rows) == [
        *("tflite/fp32", "tflite/int8", "tfjs/fp32", "onnx/fp32", "onnx/int8", "tfjs/int8")
    ]
    assert "68.3 KB" in rows["tflite/fp32"]
    assert rows["tfjs/int8"].startswith("tfjs/int8  not available: ")


def test_a_bundle_as_json_is_its_manifest(cli: Cli, bundle: Path) -> None:
    manifest = json.loads((bundle / "edgekit.json").read_text())
    assert json.loads(cli("inspect", bundle, "--json").out) == manifest


@pytest.mark.parametrize(
    ("path", "output"),
    [
        ("tflite/fp32.tflite", "class: float32[?, 4]"),
        ("onnx/int8.onnx", "class: float32[?, 4]"),
        ("tfjs/fp32", "class: float32[?, 4]"),
    ],
)
def test_an_artifact_shows_its_recipe_its_bundle_and_its_signature(
    cli: Cli, bundle: Path, path: str, output: str
) -> None:
    form, recipe = path.split(".")[0].split("/")
    lines = cli("inspect", bundle / path).out.splitlines()
    assert lines[0] == f"{bundle / path}  {form} ({recipe}, in {bundle})"
    assert lines[1:3] == [" input  features: float32[?, 64]", f"output  {output}"]
    assert lines[3].startswith(" bytes  ")
    files = sorted(file.name for file in (bundle / path).glob("*"))
    assert lines[5:] == ([f" files  {', '.join(files)}"] if files else [])


def test_an_artifact_shows_its_size_and_hash(cli: Cli, bundle: Path) -> None:
    content = (bundle / "onnx/fp32.onnx").read_bytes()
    facts = json.loads(cli("inspect", bundle / "onnx/fp32.onnx", "--json").out)
    assert facts["bytes"] == len(content)
    assert facts["sha256"] == hashlib.sha256(content).hexdigest()
    assert facts["files"] == ["fp32.onnx"]
    assert facts["format"] == "onnx"


def test_integer_inputs_show_what_they_stand_for(cli: Cli, bundle: Path) -> None:
    facts = json.loads(cli("inspect", bundle / "tflite/int8.tflite", "--json").out)
    (entry,) = facts["inputs"]
    assert entry["dtype"] == "int8"
    scale, zero_point = entry["quantization"]["scale"], entry["quantization"]["zero_point"]
    answer = cli("inspect", bundle / "tflite/int8.tflite")
    assert f"features: int8[?, 64]  (value - {zero_point}) * {scale:.6g}\n" in answer.out


@pytest.mark.parametrize("path", ["tflite/fp32.tflite", "onnx/fp32.onnx", "tfjs/fp32"])
def test_an_artifact_outside_of_a_bundle_has_no_recipe(
    cli: Cli, bundle: Path, tmp_path: Path, path: str
) -> None:
    copy = shutil.copytree if (bundle / path).is_dir() else shutil.copy
    alone = Path(copy(bundle / path, tmp_path / ("web" if path == "tfjs/fp32" else "")))
    facts = json.loads(cli("inspect", alone.name, "--json").out)
    assert (facts["recipe"], facts["bundle"]) == (None, None)
    assert [entry["name"] for entry in facts["inputs"]] == ["features"]


def test_a_model_that_dies_when_it_runs_is_inspected_all_the_same(cli: Cli, tmp_path: Path) -> None:
    import small_artifacts

    small_artifacts.write_onnx(tmp_path / "deadly.onnx", deadly=True)
    answer = cli("inspect", "deadly.onnx")
    assert answer.exit_code == 0
    assert "output  class: float32[1, 10]\n" in answer.out
