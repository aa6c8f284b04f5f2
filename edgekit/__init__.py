"""One trained model becomes small models for the edge and the browser, measured against itself.

    bundle = edgekit.convert("digits.keras", calibration="digits.npz")
    results = edgekit.bench(bundle, on=["host", "browser:wasm"], data="digits.npz")

The words are those of the command line. Importing edgekit imports nothing heavy: a class is
fetched from its module when it is first used (PEP 562).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# Trap: the first import of a folder binds its name here. These folders are imported now, so that
# no later import replaces the function of the same name.
import edgekit.bench
import edgekit.convert
import edgekit.tune  # noqa: F401
from edgekit._version import __version__
from edgekit.api import bench, convert, tune

if TYPE_CHECKING:
    from edgekit.bundle.bundle import Bundle, load_bundle
    from edgekit.results.results import Results, load_results
    from edgekit_runtimes.errors import EdgekitError

__all__ = [
    "Bundle",
    "EdgekitError",
    "Results",
    "__version__",
    "bench",
    "convert",
    "load_bundle",
    "load_results",
    "tune",
]

_MODULES = {
    "Bundle": "edgekit.bundle.bundle",
    "EdgekitError": "edgekit_runtimes.errors",
    "Results": "edgekit.results.results",
    "load_bundle": "edgekit.bundle.bundle",
    "load_results": "edgekit.results.results",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'edgekit' has no attribute '{name}'")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
