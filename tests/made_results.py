"""Results made by hand, for what a bench does not bring about when it is asked to."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from edgekit.measure.accuracy.accuracy import Accuracy, wilson_interval
from edgekit.measure.fidelity import Fidelity, OutputFidelity
from edgekit.measure.plan import QUICK
from edgekit.measure.results import Block, Results, Row
from edgekit.measure.statistics import Ratio, summarize

ENVIRONMENT = {
    "platform": "Linux-6.1-x86_64",
    "cpu": "AMD EPYC",
    "cpu_features": ["avx2", "avx512_vnni"],
    "logical_cores": 2,
    "governor": None,
    "memory_bytes": 8_000_000_000,
    "clock_resolution_ns": 1,
    "engines": {"litert": "2.3.0"},
}
# JSON text of a kind that a page must not run, and a table must not break at.
EVIL = "tflite/<script>alert(1)</script>|\"'&`*"


def made_row(name: str, size: int | None = 100_000, time: float = 100_000, **more: Any) -> Row:
    """Return a measured row with 64 runs around `time`."""
    form, _, recipe = name.partition("/")
    random = np.random.default_rng(len(name))
    samples = [round(time * factor) for factor in random.lognormal(0, 0.02, 64)]
    blocks = tuple(Block(n, "measure", tuple(samples[n * 16 : n * 16 + 16])) for n in range(4))
    values: dict[str, Any] = {
        "device": "host",
        "id": name,
        "format": form,
        "recipe": recipe,
        "engine": "litert",
        "status": "ok",
        "bytes": size,
        "wire_bytes": {"gzip": size - 1000, "brotli": size - 2000} if size else {},
        "load_ns": (1_000_000,),
        "first_run_ns": (200_000,),
        "blocks": (Block(0, "warmup", (9_999_999,)), *blocks),
        "statistics": summarize(samples),
        "fidelity": made_fidelity(1.0, 40.0),
    }
    return Row(**{**values, **more})


def made_fidelity(top1: float | None, sqnr_db: float, nan: int = 0) -> Fidelity:
    """Return the fidelity of an output "class"."""
    return Fidelity({"class": OutputFidelity(64, top1, 0.999, sqnr_db, 0.1, nan)})


def made_accuracy(correct: int) -> Accuracy:
    """Return the accuracy of so many of 1,000 samples."""
    low, high = wilson_interval(correct, 1000)
    return Accuracy("class", 1000, correct / 1000, low, high, correct)


def made_ratio(value: float, half: float = 0.02) -> Ratio:
    """Return a ratio with an interval of `half` to both sides."""
    return Ratio(value, value - half, value + half)


def failed_row(name: str, reason: str = "the interpreter died (signal 11, SIGSEGV)") -> Row:
    """Return an error row."""
    return made_row(
        name,
        status="error",
        reason=reason,
        blocks=(),
        load_ns=(),
        first_run_ns=(),
        statistics=None,
        fidelity=None,
    )


def counted(row: Row, device: str = "board:pi5") -> Row:
    """Return a row of a board that counts instructions: five runs that are nearly equal."""
    least = int(row.statistics.min) if row.statistics else 0
    samples = (least, least, least, least + 100, least + 200)
    return replace(
        row,
        device=device,
        unit="instructions",
        blocks=(Block(0, "measure", samples),),
        statistics=summarize(samples),
    )


def made_results(*rows: Row, **more: Any) -> Results:
    """Return results with an environment for each device."""
    environments = {row.device: ENVIRONMENT for row in rows}
    results = Results("0.1.0", "2026-11-21T08:37:28+00:00", QUICK, 1, 64, False, environments, rows)
    return replace(results, **more)


def as_json(results: Results) -> str:
    """Return results as a file would hold them."""
    return json.dumps(results.to_json())
