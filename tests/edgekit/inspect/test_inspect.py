"""`edgekit inspect`: bundles and artifacts."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    assert lines[0] == f"{bundle}  from ../../once-model-dense_net/dense_net.keras"
    assert lines[1:3] == [" input  features: float32[?, 64]", "output  class: float32[?, 4]"]
    assert lines[3].split() == ["artifact", "bytes", "gzip", "brotli", "top-1", "SQNR", "dB", "p5"]
    rows = {line.split()[0]: line for line in lines[4:]}
    made = ["tflite/fp32", "tflite/int8", "tfjs/fp32", "onnx/fp32", "onnx/int8"]
    assert list(rows) == [*made, "tfjs/int8", "tflite/int8,"]
    assert "68.1 KB" in rows["tflite/fp32"]
    assert rows["tfjs/int8"].startswith("tfjs/int8  not available: ")
    assert rows["tflite/int8,"].startswith(
        "tflite/int8, onnx/int8  warning: its fidelity was judged"
    )


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
    assert lines[5].startswith(f" files  {', '.join(files)}" if files else " nodes  ")


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


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (
            "tflite/int8.tflite",
            [
                " nodes  4: 3 FULLY_CONNECTED, 1 SOFTMAX",
                "        4 int8; 8 tensors",
                "params  16,640; constants take 16.6 KB",
                "  MACs  16,640 multiply-accumulates per sample: 100.0 % int8",
            ],
        ),
        (
            "onnx/int8.onnx",
            [
                "  MACs  16,640 multiply-accumulates per sample: 100.0 % int8",
                " float  1 of the nodes, in 1 island: 1 Softmax",
            ],
        ),
        (
            "tfjs/fp32",
            [
                " nodes  4: 2 _FusedMatMul, 1 MatMul, 1 Softmax",
                "  MACs  16,640 multiply-accumulates per sample: 100.0 % fp32",
            ],
        ),
    ],
)
def test_an_artifact_shows_what_its_nodes_are_and_cost(
    cli: Cli, bundle: Path, path: str, said: list[str]
) -> None:
    lines = cli("inspect", bundle / path).out.splitlines()
    assert [line for line in lines if line in said] == said


def test_the_largest_layers_come_first_and_all_layers_when_asked(cli: Cli, bundle: Path) -> None:
    path = bundle / "tflite" / "fp32.tflite"
    largest = table(cli("inspect", path).out)
    assert [line.split()[-1] for line in largest] == ["32.8", "32.8", "1.02"]
    assert "the 3 largest of 4 nodes; --layers shows all" in cli("inspect", path).out
    every = table(cli("inspect", path, "--layers").out)
    assert [line.split()[1] for line in every] == [*["FULLY_CONNECTED"] * 3, "SOFTMAX"]


def table(text: str) -> list[str]:
    """Return the rows of the table of layers."""
    lines = text.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("layer "))
    return [line for line in lines[first + 1 :] if not line.startswith("the ")]


def test_a_bundle_has_no_layers_of_its_own(refused: Callable[..., Any], bundle: Path) -> None:
    message, code = refused("inspect", bundle, "--layers")
    assert message == f"--layers is for one artifact, and {bundle} is a bundle of several."
    assert code == 2


def test_without_the_onnx_package_the_rest_is_shown_with_the_line_that_helps(
    cli: Cli, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    lines = cli("inspect", bundle / "onnx" / "fp32.onnx").out.splitlines()
    assert lines[1:3] == [" input  features: float32[?, 64]", "output  class: float32[?, 4]"]
    assert lines[-1].startswith(" nodes  not read: ")
    assert lines[-1].endswith("pip install 'edgekit[convert]'")
    facts = json.loads(cli("inspect", bundle / "onnx" / "fp32.onnx", "--json").out)
    assert facts["graph"] is None
    assert facts["graph_reason"] == lines[-1].removeprefix(" nodes  not read: ")


def test_a_model_that_dies_when_it_runs_is_still_inspected(cli: Cli, tmp_path: Path) -> None:
    import small_artifacts

    small_artifacts.write_onnx(tmp_path / "deadly.onnx", deadly=True)
    answer = cli("inspect", "deadly.onnx")
    assert answer.exit_code == 0
    assert "output  class: float32[1, 10]\n" in answer.out
