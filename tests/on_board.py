"""`pytest --board pi4`: the runtime tests run inside an emulated board, booted once.

What runs there: the files of FILES, which test engines, the worker, its protocol and what these
are made of. Devices, boards and everything above the ground floor stay on the host: they start
emulators and SSH, or need packages that no device has. Of the tests in FILES, those of OUTSIDE
stay on the host too, each for the reason beside it.

The board collects the same test functions. Each report comes back as it is made, with its
traceback, and becomes the outcome of the same test on the host.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import inside_board
import numpy as np
import pytest

from edgekit_runtimes.devices.board import BOARDS
from edgekit_runtimes.devices.board.build import ensure_userland
from edgekit_runtimes.devices.board.cache import KERNEL, USERLAND
from edgekit_runtimes.devices.board.guest import Guest, TaskEnd, TaskLine
from edgekit_runtimes.devices.board.initramfs import Archive
from edgekit_runtimes.devices.board.packages import pip_download
from edgekit_runtimes.devices.board.tasks import GROUND_FLOOR, add_ground_floor
from edgekit_runtimes.devices.board.userland import add_wheels
from edgekit_runtimes.devices.board.userland_contents import PACKAGES_FOLDER
from edgekit_runtimes.errors import DeviceError, EdgekitError

ROOT = Path(__file__).parent.parent
FILES = (
    "engines/test_engine_modules.py",
    "engines/test_litert_engine.py",
    "engines/test_onnxruntime_engine.py",
    "protocol/test_job.py",
    "test_artifact.py",
    "test_environment.py",
    "test_errors.py",
    "test_tensors.py",
    "test_timing.py",
    "test_worker.py",
)
OUTSIDE = {
    "test_a_free_image_size_takes_the_size_of_the_sample": "converts a model by TensorFlow itself",
}
# What those files import of tests/.
HELPERS = ("conftest.py", "jobs.py", "numpy_engine.py", "tflite_by_hand.py")
# pytest, jsonschema and onnx with what they import, in the host's versions.
PACKAGES = (
    *("pytest", "pluggy", "iniconfig", "packaging", "pygments"),
    *("jsonschema", "jsonschema-specifications", "attrs", "referencing", "rpds-py"),
    *("onnx", "protobuf", "ml-dtypes", "typing-extensions"),
)
# The fixtures that TensorFlow makes something for, here.
MADE_HERE = {"tflite_files", "samples_file", "graphs"}
SUITE = "suite"
TEST_PACKAGES = "test-packages"
# No test takes a minute there.
SILENCE_LIMIT_S = 180.0

SCRIPT = f"""
unset PYTHONDONTWRITEBYTECODE
cd /{SUITE}
exec python3 -m pytest -q --color=no -p no:cacheprovider tests \\
    {inside_board.REPORTS}>&1 >&2
"""


class OnBoard:
    """The plugin that takes the place of running tests here."""

    def __init__(self, config: pytest.Config, board: str) -> None:
        self._config = config
        self._board = BOARDS[board]
        self._stream: Iterator[pytest.TestReport] | None = None
        self._reports: dict[str, list[pytest.TestReport]] = {}
        self._reason = "the board ran other tests and ended"
        self._ran = 0

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        return True if collection_path.is_file() and not _is_ours(collection_path) else None

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        outside = [item for item in items if item.name in OUTSIDE and _is_ours(item.path)]
        self._config.hook.pytest_deselected(items=outside)
        items[:] = [item for item in items if item not in outside]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool:
        hook = item.ihook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._reports_of(item):
            hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        where = f"board:{self._board.name} ({self._board.cpu})"
        terminalreporter.write_line(f"{self._ran} tests ran inside {where}")

    def pytest_unconfigure(self) -> None:
        if self._stream:
            self._stream.close()

    def _reports_of(self, item: pytest.Item) -> list[pytest.TestReport]:
        """Wait for a test's reports; where the board ended before the last, add a failure."""
        if self._stream is None:
            self._stream = self._run(item.session.items)
        own = self._reports.setdefault(item.nodeid, [])
        try:
            while not own or own[-1].when != "teardown":
                report = next(self._stream)
                self._reports.setdefault(report.nodeid, []).append(report)
        except (StopIteration, EdgekitError) as error:
            if isinstance(error, EdgekitError):
                self._reason = str(error)
            place = (item.nodeid, item.location, {}, "failed")
            return [*own, pytest.TestReport(*place, longrepr=self._reason, when="call")]
        self._ran += 1
        return own

    def _run(self, items: Sequence[pytest.Item]) -> Iterator[pytest.TestReport]:
        """Boot the board and yield the reports of its tests, in the order of its running them."""
        userland = ensure_userland(lambda step: None)

        def write(archive: Archive) -> None:
            _write_suite(archive, userland.python, items)

        archives = [userland.folder / USERLAND]
        with Guest(self._board, userland.folder / KERNEL, archives, write) as guest:
            for message in guest.messages(SILENCE_LIMIT_S):
                if isinstance(message, TaskLine):
                    yield self._config.hook.pytest_report_from_serializable(
                        config=self._config, data=json.loads(message.text)
                    )
                elif isinstance(message, TaskEnd):
                    said = "\n".join(message.stderr)
                    self._reason = f"the board's pytest ended with status {message.status}:\n{said}"


def _is_ours(path: Path) -> bool:
    return path in {ROOT / "tests" / "runtimes" / name for name in FILES}


def _write_suite(archive: Archive, python: str, items: Sequence[pytest.Item]) -> None:
    """Write the tests, what they import, and the task that runs them."""
    add_ground_floor(archive)
    # Workers that a test starts have the test's PYTHONPATH: these come with each Python.
    paths = "".join(f"/{name}\n" for name in (GROUND_FLOOR, PACKAGES_FOLDER, TEST_PACKAGES))
    archive.add_file("usr/lib/python3/dist-packages/edgekit.pth", paths.encode())
    with tempfile.TemporaryDirectory() as folder:
        pinned = [f"{name}=={metadata.version(name)}" for name in PACKAGES]
        answer = pip_download(Path(folder), python, pinned)
        if answer.returncode != 0:
            raise DeviceError(f"pip cannot fetch what the tests import: {answer.stderr}")
        add_wheels(archive, sorted(Path(folder).glob("*.whl")), TEST_PACKAGES)
    files = [*(f"tests/{name}" for name in HELPERS), *(f"tests/runtimes/{name}" for name in FILES)]
    for name in ("pyproject.toml", *files):
        archive.add_file(f"{SUITE}/{name}", (ROOT / name).read_bytes())
    conftest = Path(inside_board.__file__).read_bytes()
    archive.add_file(f"{SUITE}/tests/runtimes/conftest.py", conftest)
    made = {inside_board.WANTED.name: json.dumps([item.nodeid for item in items]).encode()}
    used = {name for item in items for name in getattr(item, "fixturenames", ())}
    # TensorFlow, which makes the models, takes longer to import than most tests take.
    if used & MADE_HERE:
        made.update(_make_models())
    for name, content in made.items():
        archive.add_file(f"{inside_board.MADE.name}/{name}", content)
    archive.add_file("tasks/0/run", SCRIPT.encode())


def _make_models() -> dict[str, bytes]:
    """Make what the fixtures of MADE_HERE give inside: name -> content."""
    import models
    from conftest import convert_by_tensorflow, int8_samples
    from models import freeze_model

    conv_net, two_in_two_out = models.conv_net(), models.two_in_two_out()
    samples = {
        "conv_net": {"image": int8_samples()},
        "two_in_two_out": models.random_inputs(two_in_two_out, 16),
    }
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, model in (("conv_net", conv_net), ("two_in_two_out", two_in_two_out)):
            graph = freeze_model(model)
            made[f"{name}.inputs.npz"] = _npz(samples[name])
            made[f"{name}.outputs.npz"] = _npz(graph.run(samples[name]))
            made[f"{name}.tflite"] = convert_by_tensorflow(graph, Path(folder) / name)
        int8 = convert_by_tensorflow(freeze_model(conv_net), Path(folder) / "int8", int8=True)
        made["conv_net-int8.tflite"] = int8
    return made


def _npz(arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()
