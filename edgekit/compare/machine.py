"""Whether two results come from the same machine.

A machine, for this purpose, is what decides how long the same artifact takes with the same engine:
architecture, CPU and its features, how many cores the worker may use, the governor of their clock,
and in a page the graphics card behind it. Versions (kernel, Python, engines, browser) are not part
of it: what updating them changes may be what a comparison is for, so they are only noted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from edgekit.results.results import Results

MACHINE = {
    "machine": "architecture",
    "cpu": "CPU",
    "cpu_features": "CPU features",
    "wasm_int8_dot_products": "WebAssembly int8 dot products",
    "logical_cores": "cores",
    "governor": "governor",
    "renderer": "renderer",
    "webgpu": "WebGPU adapter",
}
VERSIONS = {
    "kernel": "kernel",
    "python": "Python",
    "numpy": "NumPy",
    "node": "Node",
    "browser": "browser",
}


def machine_differences(old: Results, new: Results) -> list[str]:
    """Return how the machines differ, one text per device that both have."""
    texts = []
    for device in _devices(old, new):
        facts = list(_changes(old.environments[device], new.environments[device], MACHINE))
        is_timed = any(row.device == device and row.unit == "ns" for row in new.rows)
        if is_timed and old.threads != new.threads:
            facts.append(_changed("threads", old.threads, new.threads))
        if facts:
            texts.append(f"{device} is another machine ({', '.join(facts)})")
    return texts


def version_changes(old: Results, new: Results) -> list[str]:
    """Return which versions changed, one text per device that both have."""
    texts = []
    for device in _devices(old, new):
        before, after = old.environments[device], new.environments[device]
        engines = {name: name for name in before.get("engines", {})}
        facts = [
            *_changes(before.get("engines", {}), after.get("engines", {}), engines),
            *_changes(before, after, VERSIONS),
        ]
        if facts:
            texts.append(f"{device}: {', '.join(facts)}")
    return texts


def _devices(old: Results, new: Results) -> list[str]:
    return [device for device in old.environments if device in new.environments]


def _changes(
    old: Mapping[str, Any], new: Mapping[str, Any], names: Mapping[str, str]
) -> Iterator[str]:
    for key, name in names.items():
        # What only one of the two edgekits recorded says nothing about the machine.
        if key in old and key in new and old[key] != new[key]:
            yield _changed(name, old[key], new[key])


def _changed(name: str, old: Any, new: Any) -> str:
    if isinstance(old, list) and isinstance(new, list):
        gone = [f"-{item}" for item in old if item not in new]
        come = [f"+{item}" for item in new if item not in old]
        return f"{name} {' '.join(gone + come) or 'in another order'}"
    return f"{name} {_text(old)}, now {_text(new)}"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unknown" if value is None else str(value)
