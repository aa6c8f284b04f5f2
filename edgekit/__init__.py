"""One trained model becomes small models for the edge and the browser, measured against itself.

    bundle = edgekit.convert("digits.keras", calibration="digits.npz")
    results = edgekit.bench(bundle, on=["host", "browser:wasm"], data="digits.npz")

The words are those of the command line. Importing edgekit imports nothing heavy: what is named
here is fetched from its module when it is first used (PEP 562).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgekit.api import bench, convert
    from edgekit.bundle import Bundle, load_bundle
    from edgekit.measure.results import Results, load_results
    from edgekit_runtimes.errors import EdgekitError

__version__ = "0.1.0"

__all__ = [
    "Bundle",
    "EdgekitError",
    "Results",
    "bench",
    "convert",
    "load_bundle",
    "load_results",
]

_MODULES = {
    "Bundle": "edgekit.bundle",
    "EdgekitError": "edgekit_runtimes.errors",
    "Results": "edgekit.measure.results",
    "bench": "edgekit.api",
    "convert": "edgekit.api",
    "load_bundle": "edgekit.bundle",
    "load_results": "edgekit.measure.results",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'edgekit' has no attribute '{name}'")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
