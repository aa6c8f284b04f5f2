"""The fork server: one process imports everything once, and each command line runs in a fork."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import resource
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MOST_S = 60.0
MOST_BYTES = 1_000_000_000
EXIT_CODES = range(4)
LOOK_S = 0.005

# Imported before the first fork; TensorFlow and Keras only where a source is converted.
MODULES = (
    *("edgekit.api", "edgekit.cli.inspect", "edgekit.cli.report", "edgekit.cli.run", "numpy"),
    *("edgekit.cli.check", "edgekit.cli.compare", "edgekit.cli.demo", "edgekit.cli.convert"),
    *("edgekit.report.html.page", "edgekit.inspect.onnx.read", "edgekit.inspect.tfjs.read"),
    *("edgekit.inspect.tflite.read", "edgekit.demo.site", "ai_edge_litert.schema_py_generated"),
    *("edgekit.data", "edgekit.run.artifact", "rich.console", "PIL.Image"),
)
HEAVY_MODULES = (
    "tensorflow",
    "keras",
    "edgekit.convert.conversion",
    "edgekit_converters.tfjs.write",
)

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code (negative: a signal), what it printed, what it took."""

    exit_code: int
    text: str
    seconds: float
    peak_bytes: int

    @property
    def fault(self) -> str:
        """What of it is not as promised; "" if nothing."""
        if self.seconds > MOST_S:
            return f"it took over {MOST_S:g} s"
        if self.exit_code not in EXIT_CODES:
            return f"exit code {self.exit_code}"
        for words in ("Traceback", "should not happen"):
            if words in self.text:
                return f"it printed '{words}'"
        if found := CONTROL.search(self.text):
            return f"it printed {found[0]!r}"
        if self.peak_bytes > MOST_BYTES:
            return f"it took {self.peak_bytes / 1e6:.0f} MB"
        return ""


def import_all(is_heavy: bool) -> None:
    """Import what forks need; after that, no thread may run here."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for name in (*MODULES, *(HEAVY_MODULES if is_heavy else ())):
        importlib.import_module(name)


def run(words: Sequence[str], folder: Path) -> Outcome:
    """Run one command line in a folder."""
    output = folder / ".output"
    start = time.monotonic()
    child = os.fork()
    if child == 0:
        _be(words, folder, output)
    status = None
    while status is None and time.monotonic() - start <= MOST_S:
        done, found, usage = os.wait4(child, os.WNOHANG)
        if done:
            status = found
        else:
            time.sleep(LOOK_S)
    seconds = time.monotonic() - start
    if status is None:
        os.killpg(child, signal.SIGKILL)
        _, status, usage = os.wait4(child, 0)
    text = output.read_text("utf-8", "replace")
    code = os.waitstatus_to_exitcode(status)
    return Outcome(code, text, seconds, usage.ru_maxrss * 1024)


def _be(words: Sequence[str], folder: Path, output: Path) -> None:
    """Be the command; never returns."""
    code = 99
    try:
        os.setsid()
        os.chdir(folder)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        descriptor = os.open(output, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        for number in (1, 2):
            os.dup2(descriptor, number)
        from edgekit.cli import main

        main(list(words))
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0
    except BaseException:
        traceback.print_exc()
    finally:
        from edgekit_runtimes.owned.folder import remove_temporary

        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
            remove_temporary()
        os._exit(code)
