"""What several test files share."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TQDM_DISABLE", "1")

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
DIGITS = ROOT / "examples" / "digits"


def pytest_addoption(parser: pytest.Parser) -> None:
    help_text = "run the runtime tests inside this emulated board"
    parser.addoption("--board", choices=["pi3", "pi4", "pi5"], help=help_text)


def pytest_configure(config: pytest.Config) -> None:
    if board := config.getoption("--board"):
        from on_board import OnBoard

        config.pluginmanager.register(OnBoard(config, board))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with long tests first, so that no worker waits for another at the end.

    Boards, which compute all the time, and browsers, which mostly wait, come in turns: what runs
    beside a board is then seldom another one. Of both, the files of the ground floor come first:
    they need no conversion to wait for.
    """
    marks: dict[Path, set[str]] = {}
    for item in items:
        marks.setdefault(item.path, set()).update(mark.name for mark in item.iter_markers())
    files: dict[str, list[Path]] = {"board": [], "browser": [], "slow": []}
    for path in sorted(marks, key=lambda path: "runtimes" not in path.parts):
        if kind := next((kind for kind in files if kind in marks[path]), None):
            files[kind].append(path)
    turns = itertools.zip_longest(files["board"], files["browser"])
    long = [path for turn in turns for path in turn if path] + files["slow"]
    places = {path: place for place, path in enumerate(long)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock against other processes, such as tests that run beside these."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def make_once(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Callable[..., Path]:
    """Make a folder by its name, once for all processes of this session, and return it.

    make: called with the folder, which is there and empty.
    """
    shared = tmp_path_factory.getbasetemp()
    if hasattr(pytestconfig, "workerinput"):
        shared = shared.parent

    def get(name: str, make: Callable[[Path], None]) -> Path:
        folder = shared / f"once-{name}"
        with locked(shared / f"{folder.name}.lock"):
            ready = folder / ".ready"
            if not ready.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                ready.touch()
        return folder

    return get


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    exit_code: int
    out: str
    err: str


@pytest.fixture
def cli(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Answer]:
    """Run a command line in this process, in a separate folder."""
    from edgekit.cli import run_command_line

    monkeypatch.chdir(tmp_path)
    # pytest's workers have it; as a pipe without it, no line is wrapped.
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*words: object) -> Answer:
        capfd.readouterr()
        exit_code = run_command_line([str(word) for word in words])
        captured = capfd.readouterr()
        return Answer(exit_code, captured.out, captured.err)

    return run


@pytest.fixture
def refused(cli: Callable[..., Answer], tmp_path: Path) -> Callable[..., tuple[str, int]]:
    """Run a command line that must fail; return its one message and its exit code.

    Nothing in the folder of the test may change by it, and nothing may be added.
    """

    def run(*words: object) -> tuple[str, int]:
        before = listing(tmp_path)
        answer = cli(*words)
        assert listing(tmp_path) == before
        return error_message(answer.err), answer.exit_code

    return run


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Return everything below a folder, files with their size and time of change."""
    return {
        str(path.relative_to(folder)): (
            (path.stat().st_size, path.stat().st_mtime_ns) if path.is_file() else (0, 0)
        )
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts
    }


def error_message(text: str) -> str:
    """Return the one message in what a command printed to stderr, without "Error: "."""
    assert "Traceback" not in text
    (message,) = re.findall(r"^Error: (.*)$", text, re.MULTILINE)
    assert "should not happen" not in text
    return str(message)


@pytest.fixture(scope="session")
def bundles(
    make_once: Callable[..., Path],
    saved_models: Callable[[str], Path],
    samples_file: Callable[[str], Path],
) -> Callable[..., Path]:
    """Convert a model of tests/models.py with samples of noise, once for the same options.

    Return the bundle. It is shared: copy it before you change it.
    """
    from edgekit.cli import run_command_line

    def convert(name: str, *words: str) -> Path:
        def make(folder: Path) -> None:
            data = [] if "--calibration" in words else ["--calibration", str(samples_file(name))]
            # What --effort tries has tests of its own.
            effort = [] if "--effort" in words else ["--effort", "low"]
            command = ["convert", str(saved_models(name)), *data, *effort, *words]
            assert run_command_line([*command, "-o", str(folder / f"{name}.edgekit")]) == 0

        key = hashlib.sha256("\0".join((name, *words)).encode()).hexdigest()[:16]
        return make_once(key, make) / f"{name}.edgekit"

    return convert


@pytest.fixture(scope="session")
def results_file(bundles: Callable[..., Path], make_once: Callable[..., Path]) -> Path:
    """Bench a bundle on this machine, once, by a short plan."""
    import dataclasses

    from edgekit.bench.request import bench_request
    from edgekit.bench.run import run_bench
    from edgekit.bundle.bundle import load_bundle

    def make(folder: Path) -> None:
        bundle = load_bundle(bundles("dense_net", "--recipe", "fp32,int8", "--io", "int8"))
        request = dataclasses.replace(bench_request(bundle, folder / "work"), plan=_short_plan())
        run_bench(request).save(folder / "results.json")

    return make_once("results", make) / "results.json"


@pytest.fixture
def short_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a quick bench of this process go through every step, and no further."""
    from edgekit.results import plan

    monkeypatch.setattr(plan, "QUICK", _short_plan())


def _short_plan() -> Any:
    """Return a plan that is too short for claims."""
    from edgekit.results.plan import BenchPlan
    from edgekit_runtimes.protocol.job import Plan

    return BenchPlan("short", 1, Plan(warmup_s=0.0, block_s=0.01, rounds=4, min_runs=8))


@pytest.fixture(scope="session")
def digits_bundle(make_once: Callable[..., Path]) -> Path:
    """Convert the digits net by every recipe and two pruned ones, once.

    Return the bundle. It is shared: copy it before you change it.
    """
    import edgekit
    from edgekit.bundle.recipe import QUANTIZATIONS

    def make(folder: Path) -> None:
        edgekit.convert(
            DIGITS / "digits.keras",
            folder / "digits.edgekit",
            recipe=[*QUANTIZATIONS, "fp32+prune33", "int8-weights+prune33"],
            # With all of int8 in integers: answers are bit for bit the same on every device.
            effort="low",
            calibration=DIGITS / "digits.npz",
        )

    return make_once("digits", make) / "digits.edgekit"


@pytest.fixture(scope="session")
def digits_with(
    digits_bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """Copy the digits bundle with a few of its artifacts, and without its source.

    values: what else its manifest should say.
    """

    def copy(ids: Iterable[str], **values: Any) -> Path:
        folder = tmp_path_factory.mktemp("digits") / "digits.edgekit"
        shutil.copytree(digits_bundle, folder)
        manifest = json.loads((folder / "edgekit.json").read_text())
        manifest["artifacts"] = [row for row in manifest["artifacts"] if row["id"] in {*ids}]
        manifest["source"]["path"] = "elsewhere.keras"
        (folder / "edgekit.json").write_text(json.dumps({**manifest, **values}))
        return folder

    return copy


@pytest.fixture(scope="session")
def saved_models(make_once: Callable[..., Path]) -> Callable[[str], Path]:
    """Save a model of tests/models.py by its name, once, and return the .keras file."""
    import models

    def save(name: str) -> Path:
        def make(folder: Path) -> None:
            getattr(models, name)().save(folder / f"{name}.keras")

        return make_once(f"model-{name}", make) / f"{name}.keras"

    return save


@pytest.fixture(scope="session")
def samples_file(make_once: Callable[..., Path]) -> Callable[[str], Path]:
    """Write noise samples for a model of tests/models.py, once, and return the .npz file."""
    import models

    def write(name: str) -> Path:
        def make(folder: Path) -> None:
            arrays: dict[str, Any] = models.random_inputs(getattr(models, name)(), 16)
            np.savez(folder / f"{name}.npz", **arrays)

        return make_once(f"samples-{name}", make) / f"{name}.npz"

    return write


@pytest.fixture(scope="session")
def graphs() -> Callable[[str], Any]:
    """Return the frozen graph of a model of tests/models.py by its name, made once."""
    import models
    from models import freeze_model

    @functools.cache
    def freeze(name: str) -> Any:
        return freeze_model(getattr(models, name)())

    return freeze


@pytest.fixture(scope="session")
def tflite_files(
    tmp_path_factory: pytest.TempPathFactory, graphs: Callable[[str], Any]
) -> Callable[..., Path]:
    """Convert a model of tests/models.py by TensorFlow's own converter, once: a second opinion.

    int8=True: static int8 with integer inputs and outputs, calibrated on `int8_samples`.
    """
    folder = tmp_path_factory.mktemp("tflite")

    def convert(name: str, int8: bool = False) -> Path:
        path = folder / f"{name}{'-int8' if int8 else ''}.tflite"
        if not path.exists():
            path.write_bytes(convert_by_tensorflow(graphs(name), folder / path.stem, int8))
        return path

    return convert


def convert_by_tensorflow(graph: Any, folder: Path, int8: bool = False) -> bytes:
    """Return a graph as TFLite; `folder` gets its SavedModel. int8: see `tflite_files`."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(str(graph.save(folder)))
    if int8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([x[None]] for x in int8_samples())
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
    content: bytes = converter.convert()
    return content


def int8_samples() -> Any:
    """Return noise images for conv_net, float32 [32, 28, 28, 1] in 0..255."""
    generator = np.random.default_rng(7)
    return generator.uniform(0, 255, (32, 28, 28, 1)).astype(np.float32)


@pytest.fixture
def ssh_server(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a real sshd on a loopback port; the ssh on PATH knows it as "pi"."""
    from ssh_server import running_server

    with running_server(tmp_path_factory.mktemp("ssh") / "server", monkeypatch) as server:
        yield server


@pytest.fixture(scope="session")
def arm64_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an ARM64 Python with all engines, run by user-mode emulation."""
    from ssh_server import make_arm64_python

    return make_arm64_python(tmp_path_factory.mktemp("arm64"))


def new_python(folder: Path, *packages: object) -> Path:
    """Make a virtual environment with packages in it, by this Python's pip; return its Python."""
    python = folder / "bin" / "python"
    # Installing pip itself, and compiling what is hardly imported, would take most of the time.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-compile", *packages], check=True)
    return python


@pytest.fixture(scope="session")
def old_python() -> Path:
    """Return a Python 3.11 with tflite-runtime and numpy 1.26, in an environment made once."""
    folder = ROOT / ".cache" / "tflite-runtime-2.14.0"
    folder.parent.mkdir(exist_ok=True)
    with locked(folder.parent / "tflite-runtime.lock"):
        return _old_python(folder)


def _old_python(folder: Path) -> Path:
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        base = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11")
        if base is None:
            # A continuous integration that quietly tests less is worthless.
            give_up = pytest.fail if os.environ.get("CI") else pytest.skip
            give_up("tflite-runtime has no wheels for Pythons after 3.11: put python3.11 on PATH")
        subprocess.run([base, "-m", "venv", "--clear", folder], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "tflite-runtime==2.14.0", "numpy==1.26.4"], check=True)
        ready.touch()
    return python
