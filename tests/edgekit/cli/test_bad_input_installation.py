"""Packages that are not installed, through the command line: the pip line, and exit code 2.

Each command is a separate process that does not find the package: `sitecustomize`, which every
Python imports first, takes it out of what the path finder sees.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sources_on_disk as disk
from conftest import error_message

WRONG_USE = 2

SITECUSTOMIZE = """
import os
from importlib.machinery import PathFinder

hidden = os.environ["HIDDEN"].split(",")
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: (
    None if name.split(".")[0] in hidden else find(name, *rest)
)
"""

BROKEN = "raise ImportError('libbroken.so: cannot open shared object file')"


@pytest.fixture
def without(tmp_path: Path) -> Callable[..., tuple[str, int]]:
    """Run a command line without a package; return its one message and its exit code."""
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "sitecustomize.py").write_text(SITECUSTOMIZE)

    def run(package: str, *words: object) -> tuple[str, int]:
        before = sorted(tmp_path.iterdir())
        answer = subprocess.run(
            [sys.executable, "-m", "edgekit", *map(str, words)],
            env={**os.environ, "PYTHONPATH": str(tmp_path / "path"), "HIDDEN": package},
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )
        assert sorted(tmp_path.iterdir()) == before
        return error_message(answer.stderr), answer.returncode

    return run


@pytest.mark.parametrize("package", ["tensorflow", "keras", "h5py"])
def test_convert_without_its_extra_says_the_pip_line(
    without: Callable[..., tuple[str, int]], saved_models: Callable[[str], Path], package: str
) -> None:
    model = saved_models("dense_net")
    assert without(package, "convert", model) == (
        f"Reading {model} ({package} is not installed) needs edgekit's 'convert' extra. "
        "Install it with: pip install 'edgekit[convert]'",
        WRONG_USE,
    )


def test_a_saved_model_without_tensorflow_says_the_pip_line(
    without: Callable[..., tuple[str, int]], tmp_path: Path
) -> None:
    disk.write_saved_model(tmp_path / "saved", "product")
    assert without("tensorflow", "convert", "saved") == (
        "Reading saved (tensorflow is not installed) needs edgekit's 'convert' extra. "
        "Install it with: pip install 'edgekit[convert]'",
        WRONG_USE,
    )


def test_a_format_whose_package_is_missing_says_the_pip_line(
    without: Callable[..., tuple[str, int]], saved_models: Callable[[str], Path]
) -> None:
    assert without("tf2onnx", "convert", saved_models("dense_net")) == (
        "Writing onnx (tf2onnx is not installed) needs edgekit's 'convert' extra. "
        "Install it with: pip install 'edgekit[convert]'",
        WRONG_USE,
    )


def test_a_package_that_is_broken_is_told_apart_from_one_that_is_missing(
    without: Callable[..., tuple[str, int]], saved_models: Callable[[str], Path], tmp_path: Path
) -> None:
    (tmp_path / "path" / "tensorflow.py").write_text(BROKEN)
    model = saved_models("dense_net")
    assert without("", "convert", model) == (
        f"Reading {model} failed, because a package cannot be imported: libbroken.so: cannot open "
        "shared object file. `edgekit doctor` says which, and how to install it again.",
        WRONG_USE,
    )


@pytest.mark.parametrize(
    ("package", "distribution", "artifact"),
    [
        ("onnxruntime", "onnxruntime", "onnx/fp32.onnx"),
        ("ai_edge_litert", "ai-edge-litert", "tflite/fp32.tflite"),
    ],
)
def test_an_engine_that_is_missing_says_the_pip_line(
    without: Callable[..., tuple[str, int]],
    bundles: Callable[..., Path],
    tmp_path: Path,
    package: str,
    distribution: str,
    artifact: str,
) -> None:
    path = bundles("dense_net", "--to", "tflite,onnx", "--recipe", "fp32") / artifact
    np.savez(tmp_path / "x.npz", x=np.ones((2, 64), np.float32))
    for words in (("run", path, "--input", "x.npz"), ("inspect", path)):
        assert without(package, *words) == (
            f"{path} cannot be run here: {distribution} is not installed. Install it with: pip "
            f"install {distribution}",
            WRONG_USE,
        )
