"""The conftest.py of tests/runtimes inside an emulated board: on_board.py puts it there.

It reports each test as a line of JSON, and serves under the fixtures' own names what needs
TensorFlow and was therefore made on the host.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from edgekit_runtimes.tensors import Array, Arrays

MADE = Path("/made")
WANTED = MADE / "wanted.json"
# Where the reports go: standard output and error are pytest's and the tests' own.
REPORTS = 4


class Reference:
    """What a graph gave on the host: `run` looks the samples up."""

    def __init__(self, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> None:
        self._inputs, self._outputs = inputs, outputs

    def run(self, inputs: Arrays) -> dict[str, Array]:
        assert inputs.keys() == self._inputs.keys()
        count = len(next(iter(inputs.values())))
        rows = [self._row({name: array[i] for name, array in inputs.items()}) for i in range(count)]
        return {name: array[rows] for name, array in self._outputs.items()}

    def _row(self, sample: Arrays) -> int:
        count = len(next(iter(self._inputs.values())))
        (row,) = (
            i
            for i in range(count)
            if all(np.array_equal(self._inputs[name][i], sample[name]) for name in sample)
        )
        return row


@pytest.fixture(scope="session")
def graphs() -> Callable[[str], Reference]:
    def load(name: str) -> Reference:
        return Reference(
            dict(np.load(MADE / f"{name}.inputs.npz")), dict(np.load(MADE / f"{name}.outputs.npz"))
        )

    return load


@pytest.fixture(scope="session")
def samples_file() -> Callable[[str], Path]:
    return lambda name: MADE / f"{name}.inputs.npz"


@pytest.fixture(scope="session")
def tflite_files() -> Callable[..., Path]:
    return lambda name, int8=False: MADE / f"{name}{'-int8' if int8 else ''}.tflite"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    wanted = set(json.loads(WANTED.read_text()))
    items[:] = [item for item in items if item.nodeid in wanted]


class Reporter:
    """Sends the reports, in pytest's own form for sending them."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        form = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        os.write(REPORTS, json.dumps(form).encode() + b"\n")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Reporter(config))
