"""Another Python on this machine: what it is, and which engines it finds."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgekit_runtimes.engines.registry import registered_engines
from edgekit_runtimes.errors import UsageError

OLDEST_PYTHON = (3, 11)

# A cold start from a slow disk takes seconds; what takes longer is not a Python waiting for -c.
PROBE_LIMIT_S = 60

# Run by the other Python, of any version: prints what it is and which modules it finds. The
# first entry of the path, the current folder, holds nothing of that Python.
PROBE = """
import json, os, sys
del sys.path[0]
answer = {"version": list(sys.version_info[:3]), "found": []}
answer["bits"] = 64 if sys.maxsize > 2**32 else 32
answer["environment"] = sys.prefix != getattr(sys, "base_prefix", sys.prefix)
answer["home"] = os.path.expanduser("~")
if sys.version_info >= (3, 11):
    from importlib.util import find_spec
    answer["found"] = [name for name in sys.argv[1:] if find_spec(name) is not None]
print(json.dumps(answer))
"""


def find_modules(python: str) -> frozenset[str]:
    """Return which of the modules that matter a Python finds.

    Raises UsageError if `python` is not one, is too old or has no numpy.
    """
    if Path(python).is_dir():
        raise UsageError(f"{python} is a folder. Give the Python in it, as in {python}/bin/python.")
    answer = _ask(python, probed_modules())
    version = tuple(answer["version"])
    if version < OLDEST_PYTHON:
        raise UsageError(
            f"{python} is Python {'.'.join(map(str, version))}; edgekit's worker needs "
            f"{'.'.join(map(str, OLDEST_PYTHON))} or newer."
        )
    if "numpy" not in answer["found"]:
        raise UsageError(
            f"{python} has no numpy. Install it with: {python} -m pip install numpy "
            "(tflite-runtime needs 'numpy<2')"
        )
    return frozenset(answer["found"])


def probed_modules() -> list[str]:
    """Return the modules that PROBE looks for: numpy and what the engines run on."""
    engines = [name for engine in registered_engines() for name in engine.needed_modules]
    return [*dict.fromkeys(["numpy", *engines])]


def is_here(module: str) -> bool:
    """Return whether our own Python finds a module."""
    return importlib.util.find_spec(module) is not None


def _ask(python: str, names: list[str]) -> Mapping[str, Any]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONHOME", "PYTHONPATH")
    }
    said = "it does not answer"
    try:
        result = subprocess.run(
            [python, "-c", PROBE, *names],
            capture_output=True,
            text=True,
            errors="replace",
            env=environment,
            timeout=PROBE_LIMIT_S,
        )
        said = result.stderr.strip().split("\n")[-1] or said
        answer: dict[str, Any] = json.loads(result.stdout)
    except OSError as error:
        raise _no_python(python, error.strerror or str(error)) from error
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise _no_python(python, said) from error
    return answer


def _no_python(python: str, reason: str) -> UsageError:
    return UsageError(
        f"{python} is not a Python interpreter that runs here: {reason}. "
        "Give the path of one, as in host:/path/to/venv/bin/python."
    )
