"""An engine in numpy whose models do what a test asks for, good or bad.

Its artifacts are JSON: {"does": one of the behaviours below, and its arguments}. A worker finds it
when PYTHONPATH holds this folder.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgekit_runtimes.engines import Model
from edgekit_runtimes.errors import EngineError
from edgekit_runtimes.tensors import Arrays, TensorSpec

NAME = "numpy"
PACKAGE = "numpy"
IMPORT_NAME = "numpy"
FORMAT = "json"


def version() -> str:
    return np.__version__


def load(path: Path, options: Mapping[str, Any]) -> Model:
    form = json.loads(path.read_text())
    if form["does"] == "die at load":
        os.kill(os.getpid(), getattr(signal, form["signal"]))
    if form["does"] == "hang":
        Path(form["pid_file"]).write_text(str(os.getpid()))
        time.sleep(3600)
    return NumpyModel(form)


class NumpyModel:
    """y = 2 x for x: float32 [?, 3], and whatever else `does` says."""

    inputs = (TensorSpec("x", (None, 3), "float32"),)
    outputs = (TensorSpec("y", (None, 3), "float32"),)

    def __init__(self, form: Mapping[str, Any]) -> None:
        self._form = form
        self._runs = 0

    def run(self, inputs: Arrays) -> Arrays:
        self._runs += 1
        y = 2 * inputs["x"]
        match self._form["does"]:
            case "print":
                os.write(1, b"native noise on the standard output\n")
                print("and Python's own")
            case "raise":
                raise EngineError("this model always fails")
            case "raise late" if self._runs > self._form["runs"]:
                raise ValueError("no longer")
            case "die late" if self._runs > self._form["runs"]:
                os.kill(os.getpid(), signal.SIGSEGV)
            case "zeros late" if self._runs > self._form["runs"]:
                y = np.zeros_like(y)
            case "nan":
                y[:, 0] = np.nan
            case "wide":
                y = np.repeat(y, self._form["times"], axis=1)
            case "grow":
                y = np.repeat(y, self._runs, axis=1)
            case "slow":
                time.sleep(self._form["seconds"])
        return {"y": y}

    def bind(self, inputs: Arrays) -> Callable[[], object]:
        return lambda: self.run(inputs)
