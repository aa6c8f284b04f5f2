"""An engine whose models do to a board what a test asks for. It never does so outside of one.

Its artifacts hold one word: what to do. A board gets this module along with the job.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edgekit_runtimes.engines import Model
from edgekit_runtimes.tensors import Arrays, TensorSpec

NAME = "board-engine"
PACKAGE = "numpy"
IMPORT_NAME = "numpy"
FORMAT = "word"


def version() -> str:
    return "1"


def load(path: Path, options: Mapping[str, Any]) -> Model:
    if not Path("/tasks").is_dir():
        raise RuntimeError("this engine is for emulated boards only")
    match path.read_text():
        case "die":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "panic":
            Path("/proc/sysrq-trigger").write_text("c")
        case "spin":
            while True:
                pass
        case "fill the memory":
            kept = []
            while True:
                kept.append(b"\1" * 2**24)
    return WideModel()


class WideModel:
    """y = x, a million times over: megabytes of output."""

    inputs = (TensorSpec("x", (None, 3), "float32"),)
    outputs = (TensorSpec("y", (None, 1_000_002), "float32"),)

    def run(self, inputs: Arrays) -> Arrays:
        return {"y": inputs["x"].repeat(333_334, axis=1)}

    def bind(self, inputs: Arrays) -> Callable[[], object]:
        return lambda: inputs["x"] * 2
