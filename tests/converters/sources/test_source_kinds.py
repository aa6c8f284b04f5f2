"""Kinds of sources: described without TensorFlow, and added by other distributions."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from steps import beside_steps

from edgekit_converters.sources import (
    SourceOptions,
    original_engine,
    source_hash,
    source_kind,
    source_kinds,
)
from edgekit_runtimes.errors import UsageError

Run = Callable[..., subprocess.CompletedProcess[str]]

# A source of another distribution: a text file that says how wide a dense layer is, or a function
# that returns a Keras model.
PLUGIN = """
from pathlib import Path
from edgekit_converters.sources import SourceKind

WIDTH = SourceKind(
    name="width", title=".width files", description="one number", suffixes=(".width",),
    loader="width_source:load_width",
)
MAKER = SourceKind(
    name="maker", title="functions", description="MODULE:FUNCTION, returns a Keras model",
    loader="width_source:load_made", words=True,
)
CLASH = SourceKind(name="keras", title="x", description="y", loader="width_source:load_width")
NOT_ONE = 7

def load_width(path, options):
    return make(int(path.read_text()))

def load_made(path, options):
    import pkgutil
    return source_of(pkgutil.resolve_name(str(path))())

def make(width):
    import keras
    x = keras.Input((4,), name="x")
    return source_of(keras.Model(x, keras.layers.Dense(width, name="y")(x)))

def source_of(model):
    from edgekit_converters.sources.keras.load import from_model
    return from_model(model)
"""
MINE = """
def net():
    import keras
    x = keras.Input((3,), name="x")
    return keras.Model(x, keras.layers.Dense(5, name="z")(x))
"""
GOOD = ("width = width_source:WIDTH", "maker = width_source:MAKER")
BROKEN = (
    "clash = width_source:CLASH",
    "missing = no_such_module:SOURCE",
    "number = width_source:NOT_ONE",
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command line in a folder, with a distribution installed that adds `entries`."""

    def run(entries: tuple[str, ...], *words: str) -> subprocess.CompletedProcess[str]:
        info = tmp_path / "site" / "width_source-1.0.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: width-source\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("\n".join(["[edgekit.sources]", *entries]))
        (tmp_path / "site" / "width_source.py").write_text(PLUGIN)
        paths = (str(tmp_path / "site"), os.environ.get("PYTHONPATH", ""))
        return subprocess.run(
            [sys.executable, "-m", "edgekit", *words],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )

    return run


def test_a_source_of_another_distribution_is_converted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "three.width").write_text("3")
    answer = run(GOOD, "convert", "three.width", "--to", "tflite", "--recipe", "fp32")
    assert (answer.returncode, beside_steps(answer.stderr)) == (0, "")
    assert "output  y: float32[?, 3]" in answer.stdout
    assert (tmp_path / "three.edgekit" / "tflite" / "fp32.tflite").is_file()


def test_a_word_is_a_source_where_a_kind_takes_words(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    answer = run(GOOD, "convert", "mine:net", "--to", "tfjs", "--recipe", "fp32")
    assert (answer.returncode, beside_steps(answer.stderr)) == (0, "")
    assert "net.edgekit  from mine:net" in answer.stdout
    assert "output  z: float32[?, 5]" in answer.stdout


def test_a_source_that_a_plug_in_cannot_read_is_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.width").write_text("wide")
    answer = run(GOOD, "convert", "bad.width")
    assert answer.returncode == 3
    assert beside_steps(answer.stderr) == (
        "Error: bad.width could not be read (.width files): invalid literal for int() with base "
        "10: 'wide'\n"
    )


def test_help_and_errors_name_the_sources_of_other_distributions(run: Run, tmp_path: Path) -> None:
    assert ".width files        one number\n" in run(GOOD, "convert", "--help").stdout
    (tmp_path / "net.txt").touch()
    assert " and .width files (one number).\n" in run(GOOD, "convert", "net.txt").stderr


def test_a_broken_plug_in_is_one_warning_each_and_stops_nothing(run: Run) -> None:
    answer = run((*GOOD, *BROKEN), "convert", "--help")
    assert answer.returncode == 0
    assert ".width files" in answer.stdout
    assert answer.stderr.splitlines() == [
        "Warning: the plug-in 'missing' (edgekit.sources) is left out: ModuleNotFoundError: No "
        "module named 'no_such_module'",
        "Warning: the plug-in 'clash' (edgekit.sources) is left out: there is already a source of "
        "the kind 'keras'",
        "Warning: the plug-in 'number' (edgekit.sources) is left out: it is of type int, "
        "not SourceKind",
    ]


def test_our_own_kinds_say_what_they_take() -> None:
    options = {kind.name: kind.options for kind in source_kinds().values()}
    assert options == {
        "keras": ("input_shapes", "unsafe", "imports"),
        "h5": ("input_shapes", "unsafe", "imports"),
        "onnx": ("input_shapes", "fixed", "layout"),
        "pt2": ("layout",),
        "saved_model": ("input_shapes", "signature"),
        "tfjs": ("input_shapes", "unsafe", "imports"),
        "tflite": ("input_shapes", "signature"),
        "torch": ("input_shapes", "weights", "layout"),
        "torch-pickle": (),
    }
    assert {kind.extra for kind in source_kinds().values()} == {"convert", "torch"}


def test_an_option_that_a_kind_does_not_take_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.keras").touch()
    with pytest.raises(
        UsageError, match=r"--signature is for SavedModel folders and \.tflite files, and"
    ):
        source_kind(tmp_path / "net.keras", SourceOptions(input_shapes={}, signature="x"))


def test_what_is_no_word_of_module_and_function_is_a_missing_file() -> None:
    assert source_kind(Path("mine:net")).name == "torch"
    with pytest.raises(UsageError, match="No such file or folder: mine:net:more"):
        source_kind(Path("mine:net:more"))


def test_the_hash_of_a_word_is_that_of_its_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_own_net.py").write_text(MINE)
    expected = hashlib.sha256(MINE.encode()).hexdigest()
    assert source_hash(Path("my_own_net:net")) == expected
    with pytest.raises(UsageError, match="there is no module my_other_net"):
        source_hash(Path("my_other_net:net"))


def test_the_original_is_run_by_the_engine_of_its_kind() -> None:
    assert original_engine("keras") == "edgekit_converters.original"
    assert original_engine("no longer installed") == "edgekit_converters.original"
