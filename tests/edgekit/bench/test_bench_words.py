"""The words of `edgekit bench` that name engines and browsers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Refused = Callable[..., tuple[str, int]]


@pytest.fixture
def bundle(bundles: Callable[..., Path]) -> Path:
    """A bundle with one TFLite and one ONNX artifact."""
    return bundles("dense_net", "--to", "tflite,onnx", "--recipe", "fp32")


def test_a_wrong_engine_is_answered_with_the_nearest(refused: Refused, bundle: Path) -> None:
    message, exit_code = refused("bench", bundle, "--engine", "lite-rt")
    assert exit_code == 2
    assert message == (
        "Unknown engine 'lite-rt'. Did you mean 'litert'? Known: litert, tflite-runtime, "
        "onnxruntime, litertjs, tfjs, ort-web."
    )


def test_an_engine_that_runs_nothing_on_a_device_is_refused_before_any_work(
    refused: Refused, bundle: Path
) -> None:
    message, exit_code = refused("bench", bundle, "--engine", "tfjs", "--engine", "litertjs")
    assert exit_code == 2
    assert message == (
        "On host no artifact is run by tfjs or litertjs (--engine). "
        "The engines of these artifacts there: litert, onnxruntime."
    )


def test_a_browser_without_a_browser_device_is_refused(refused: Refused, bundle: Path) -> None:
    message, exit_code = refused("bench", bundle, "--browser", "none")
    assert exit_code == 2
    assert message == "--browser is for browser devices: add --on browser:wasm, say."


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (".", "-o . is a folder. Name a file."),
        ("file/results.json", "file cannot be made: file is a file. Choose another place with -o."),
    ],
)
def test_results_that_could_not_be_written_are_refused_before_any_work(
    refused: Refused, bundle: Path, tmp_path: Path, place: str, message: str
) -> None:
    (tmp_path / "file").touch()
    assert refused("bench", bundle, "-o", place) == (message, 2)
