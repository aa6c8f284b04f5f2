"""What a section was measured on and how, as (fact, text) pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edgekit.report.merge import Section, minute
from edgekit.text.units import BYTE_UNITS, Unit, pick_unit, significant

# Facts that need more than their name with blanks. A device may state others: they are shown
# under their own names, so that a new one is not lost.
NAMES = {
    "cpu": "CPU",
    "cpu_features": "CPU features",
    "logical_cores": "cores",
    "frequency_khz": "frequency",
    "memory_bytes": "memory",
    "python": "Python",
    "numpy": "NumPy",
    "node": "Node",
    "clock_resolution_ns": "clock resolution",
    "wasm_simd": "WebAssembly SIMD",
    "wasm_int8_dot_products": "WebAssembly int8 dot products",
    "webgpu": "WebGPU",
}
FREQUENCY_UNITS = (Unit("GHz", 1e6), Unit("MHz", 1e3), Unit("kHz", 1))
GIGABYTES = (Unit("GB", 1e9), *BYTE_UNITS)
MEASURES = {"frequency_khz": FREQUENCY_UNITS, "memory_bytes": GIGABYTES}


def facts(section: Section) -> list[tuple[str, str]]:
    """Return the run's facts, then the device's; what it did not say is left out."""
    results = section.results
    environment = results.environments.get(section.title, {})
    return [
        ("bundle", results.bundle),
        ("measured", f"{minute(results.created)} UTC with edgekit {results.edgekit}"),
        # Without its folders: a report is for others, and they need not know these.
        ("file", Path(section.file).name),
        ("plan", _plan(section)),
        ("golden samples", f"{results.samples:,}{' of noise' if results.noise else ''}"),
        *_device_facts(environment),
    ]


def _plan(section: Section) -> str:
    if section.rows[0].unit == "instructions":
        return "instructions counted, one process"
    plan, threads = section.results.plan, section.results.threads
    worker = plan.worker
    return (
        f"{plan.name}: {plan.processes} processes, {worker.min_s:g} s per model in each, blocks of "
        f"{1000 * worker.block_s:g} ms or more, warm-up of {worker.warmup_s:g} s, "
        f"threads: {threads}"
    )


def _device_facts(environment: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in environment.items():
        text = _text(key, value)
        if text:
            yield NAMES.get(key, key.replace("_", " ")), text


def _text(key: str, value: Any) -> str:
    """Return a value as text, "" where there is none."""
    if value is None or value == [] or value == {}:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {version}" for name, version in value.items())
    if isinstance(value, list):
        return ", ".join(significant(x) if isinstance(x, float) else str(x) for x in value)
    if key in MEASURES and isinstance(value, int):
        unit = pick_unit([value], MEASURES[key])
        return f"{significant(value / unit.size)} {unit.word}"
    return f"{value} ns" if key == "clock_resolution_ns" else str(value)
