"""A few damaged files of each format, through the command line: `make fuzz` tries thousands."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from fuzz.mutate import mutant
from fuzz.server import Outcome
from fuzz.targets import GATES
from results_by_hand import failed_row, results_of, row

QUICK = "manifest,golden,results,gates,tfjs"
WITH_WORKERS = "tflite,onnx,npz"
PROGRAM = Path(__file__).parent


@pytest.fixture(scope="module")
def seeds(
    bundles: Callable[..., Path],
    samples_file: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Whole files of each format, without the sources."""
    folder = tmp_path_factory.mktemp("seeds")
    shutil.copytree(bundles("dense_net", "--recipe", "fp32,int8"), folder / "net.edgekit")
    shutil.copy(samples_file("dense_net"), folder / "x.npz")
    results = results_of(row("tflite/fp32"), row("tflite/int8"), failed_row("onnx/fp32"))
    for name in ("results.json", "old.json"):
        results.save(folder / name)
    (folder / "edgekit.toml").write_text(GATES)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("formats", "count"), [(QUICK, 150), (WITH_WORKERS, 24)])
def test_damaged_files_end_in_one_sentence(
    seeds: Path, tmp_path: Path, formats: str, count: int
) -> None:
    options = ["--seeds", str(seeds), "--keep", str(tmp_path), "--only", formats]
    answer = subprocess.run(
        [sys.executable, PROGRAM, *options, "--count", str(count)], capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.splitlines()[-1].endswith(" 0 broke a promise")


def test_the_same_seed_makes_the_same_mutant() -> None:
    content = bytes(range(256)) * 8
    made = [mutant(content, "x.npy", Random(seed)) for seed in range(100)]
    assert made == [mutant(content, "x.npy", Random(seed)) for seed in range(100)]
    assert len(set(made)) > 80


@pytest.mark.parametrize(
    ("outcome", "fault"),
    [
        (Outcome(0, "fine\n", 1.0, 10**8), ""),
        (Outcome(3, "Error: x is damaged.\n", 1.0, 10**8), ""),
        (Outcome(-11, "", 1.0, 10**8), "exit code -11"),
        (Outcome(3, "Traceback (most recent call last):", 1.0, 10**8), "it printed 'Traceback'"),
        (Outcome(3, "This should not happen: …", 1.0, 0), "it printed 'should not happen'"),
        (Outcome(3, "Error: \x1b[2J", 1.0, 0), r"it printed '\x1b'"),
        (Outcome(3, "", 61.0, 0), "it took over 60 s"),
        (Outcome(3, "", 1.0, 2 * 10**9), "it took 2000 MB"),
    ],
)
def test_what_breaks_a_promise_is_noticed(outcome: Outcome, fault: str) -> None:
    assert outcome.fault == fault
