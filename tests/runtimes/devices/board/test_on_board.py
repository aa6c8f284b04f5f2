"""`pytest --board`: the runtime tests pass inside a board, and what fails there fails here."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

SPOILT = """

def test_spoilt_first() -> None:
    assert sum([1, 2, 3]) == 7


def test_spoilt_then() -> None:
    Path("/proc/sysrq-trigger").write_text("c")


def test_spoilt_last() -> None:
    pass
"""


def run_on_board(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--board", *words]
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


@pytest.mark.board
@pytest.mark.slow
def test_the_runtime_tests_pass_inside_a_board() -> None:
    answer = run_on_board(ROOT, "pi4")
    assert answer.returncode == pytest.ExitCode.OK, answer.stdout + answer.stderr
    (passed,) = re.findall(r"== (\d+) passed", answer.stdout)
    assert int(passed) > 100


@pytest.mark.board
@pytest.mark.slow
def test_a_failure_in_the_board_comes_with_its_traceback_and_a_panic_fails_the_rest(
    tmp_path: Path,
) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    unwanted = shutil.ignore_patterns("node_modules", "__pycache__")
    shutil.copytree(ROOT / "tests", tmp_path / "tests", ignore=unwanted)
    with (tmp_path / "tests" / "runtimes" / "test_artifact.py").open("a") as file:
        file.write(SPOILT)
    answer = run_on_board(tmp_path, "pi5", "-k", "spoilt or sha256")
    assert answer.returncode == pytest.ExitCode.TESTS_FAILED, answer.stderr
    assert "3 failed, 1 passed" in answer.stdout
    assert "2 tests ran inside board:pi5 (Cortex-A76)" in answer.stdout
    assert ">       assert sum([1, 2, 3]) == 7\nE       assert 6 == 7" in answer.stdout
    panic = "the kernel of pi5 panicked: sysrq triggered crash"
    first, second = (answer.stdout.split(f" test_spoilt_{name} __")[1] for name in ("then", "last"))
    assert first.splitlines()[1] == second.splitlines()[1] == panic
