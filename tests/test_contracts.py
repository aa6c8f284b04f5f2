"""The contracts on imports in pyproject.toml: all hold, and each fails for a planted import."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

PACKAGES = (
    "edgekit",
    "converters/edgekit_converters",
    "runtimes/edgekit_runtimes",
)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the packages' Python files and of the contracts."""
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            copy = tmp_path / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    return tmp_path


def lint(house: Path) -> tuple[int, str]:
    folders = [str((house / package).parent) for package in PACKAGES]
    answer = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=house,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(folders), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    return answer.returncode, answer.stdout


def plant(house: Path, file: str, line: str) -> None:
    path = house / file
    path.write_text(f"{path.read_text()}\n\ndef planted():\n    {line}\n")


def test_all_contracts_hold(house: Path) -> None:
    code, text = lint(house)
    assert code == 0, text


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        (
            "runtimes/edgekit_runtimes/tensors.py",
            "import edgekit_converters.extra",
            "Imports only go down the floors",
        ),
        (
            "converters/edgekit_converters/extra.py",
            "from edgekit.bundle import recipe",
            "Imports only go down the floors",
        ),
        (
            "edgekit/bundle/recipe.py",
            "from edgekit.report import terminal",
            "Imports only go down the folders of the top floor",
        ),
        (
            "edgekit/text/units.py",
            "from edgekit.text import plain; from edgekit.data import noise",
            "Imports only go down the folders of the top floor",
        ),
        (
            "converters/edgekit_converters/quantize/kernels.py",
            "from edgekit_converters.tflite import tree",
            "What is done to a graph knows no format",
        ),
        (
            "runtimes/edgekit_runtimes/errors.py",
            "from edgekit_runtimes import tensors",
            "No circle of files or folders",
        ),
        (
            "runtimes/edgekit_runtimes/engines/__init__.py",
            "from edgekit_runtimes.devices import host",
            "No circle of files or folders",
        ),
        (
            "edgekit/cli/run.py",
            "from edgekit.bench import run",
            "The command line goes through the API",
        ),
    ],
)
def test_a_planted_import_breaks_its_contract(
    house: Path, file: str, line: str, contract: str
) -> None:
    plant(house, file, line)
    code, text = lint(house)
    assert code == 1
    assert f"{contract} BROKEN" in text
