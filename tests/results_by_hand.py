"""Results made by hand for the tests of what only reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.results.accuracy import Accuracy, AccuracyDifference, wilson_interval
from edgekit.results.fidelity import Fidelity, OutputFidelity
from edgekit.results.plan import QUICK
from edgekit.results.results import Block, Results, Row
from edgekit.results.statistics import Ratio, summarize

ENVIRONMENT: Mapping[str, Any] = {
    "machine": "x86_64",
    "cpu": "AMD EPYC",
    "cpu_features": ["avx2", "avx_vnni"],
    "memory_bytes": 8_000_000_000,
    "logical_cores": 2,
    "governor": None,
    "kernel": "6.1",
    "python": "3.11.7",
    "engines": {"litert": "2.3.0"},
}
DIED = "the interpreter died (signal 11, SIGSEGV)"
# JSON text of a kind that a page must not run, and a table must not break at.
EVIL = "tflite/<script>alert(1)</script>|\"'&`*"
BOARD: Mapping[str, Any] = {**ENVIRONMENT, "cpu": "Cortex-A76", "unit": "instructions"}


def blocks_around(
    median: float, spread: float = 0.0, processes: int = 3, runs: int = 40, seed: int = 1
) -> tuple[Block, ...]:
    """Return a warm-up and four measured blocks a process: lognormal, in whole ns."""
    generator = np.random.default_rng(seed)
    times = median * np.exp(spread * generator.standard_normal((processes, 4, runs)))
    return tuple(
        Block(process, phase, samples)
        for process in range(processes)
        for phase, samples in (
            ("warmup", (round(9 * median),) * 5),
            *(("measure", tuple(map(round, block))) for block in times[process]),
        )
    )


def fidelity(top1: float | None = 1.0, nan: int = 0, output: str = "class") -> Fidelity:
    """Return a fidelity of one output: cosine .999, SQNR 31 dB, a largest error of .25."""
    if nan:
        return Fidelity({output: OutputFidelity(64, top1, 0.0, float("-inf"), float("inf"), nan)})
    return Fidelity({output: OutputFidelity(64, top1, 0.999, 31.0, 0.25)})


def classified(correct: int, samples: int = 1000, lost: int = 0, nan: int = 0) -> Accuracy:
    """Return a top-1 accuracy; `lost`: how many more the original gets right."""
    low, high = wilson_interval(correct, samples)
    share = -lost / samples
    difference = AccuracyDifference(
        compared_with="original",
        value=share,
        low=share - 0.004,
        high=share + 0.004,
        verdict="same",
        higher_is_better=True,
        test="McNemar, mid-p",
    )
    return Accuracy(
        output="class",
        samples=samples,
        top1=correct / samples,
        low=low,
        high=high,
        correct=correct,
        nan=nan,
        differences={"top1": difference},
    )


def made_fidelity(top1: float | None, sqnr_db: float, nan: int = 0) -> Fidelity:
    """Return the fidelity of an output "class"."""
    return Fidelity({"class": OutputFidelity(64, top1, 0.999, sqnr_db, 0.1, nan)})


def made_accuracy(correct: int) -> Accuracy:
    """Return the accuracy of this many of 1,000 samples, compared with nothing."""
    return replace(classified(correct), differences={})


def made_ratio(value: float, half: float = 0.02) -> Ratio:
    """Return a ratio with an interval of `half` to both sides."""
    return Ratio(value, value - half, value + half)


def row(name: str, device: str = "host", **more: Any) -> Row:
    """Return a row that was measured: 100 KB, 5 ms, half of fp32's 10 ms."""
    form, _, recipe = name.partition("/")
    is_artifact = bool(recipe)
    blocks = more.pop("blocks", blocks_around(5e6))
    samples = [sample for block in blocks if block.phase == "measure" for sample in block.samples]
    has_ratio = is_artifact and recipe != "fp32"
    values: dict[str, Any] = {
        "device": device,
        "id": name,
        "format": form if is_artifact else "source",
        "recipe": recipe or name,
        "engine": "litert",
        "status": "ok",
        "bytes": 100_000 if is_artifact else None,
        "wire_bytes": {"gzip": 80_000, "brotli": 70_000} if is_artifact else {},
        "load_ns": (1_000_000, 3_000_000),
        "first_run_ns": (8_000_000,),
        "blocks": blocks,
        "reference_blocks": blocks_around(10e6) if has_ratio else (),
        "statistics": summarize(samples) if samples else None,
        "ratio_to_fp32": Ratio(0.5, 0.45, 0.55) if has_ratio else None,
        "fidelity": fidelity(),
        **more,
    }
    return Row(**values)


def noisy_row(name: str, size: int | None = 100_000, time: float = 100_000, **more: Any) -> Row:
    """Return a row of 64 runs around `time` ns, without a ratio unless one is given."""
    values: dict[str, Any] = {
        "bytes": size,
        "wire_bytes": {"gzip": size - 1000, "brotli": size - 2000} if size else {},
        "load_ns": (1_000_000,),
        "first_run_ns": (200_000,),
        "blocks": blocks_around(time, 0.02, processes=1, runs=16, seed=len(name)),
        "reference_blocks": (),
        "ratio_to_fp32": None,
        "fidelity": made_fidelity(1.0, 40.0),
    }
    return row(name, **{**values, **more})


def counted(timed: Row, device: str = "board:pi5") -> Row:
    """Return the row of a board that counts instructions: five runs that are nearly equal."""
    least = int(timed.statistics.min) if timed.statistics else 0
    samples = (least, least, least, least + 100, least + 200)
    return replace(
        timed,
        device=device,
        unit="instructions",
        blocks=(Block(0, "measure", samples),),
        statistics=summarize(samples),
    )


def counted_row(name: str, count: int, device: str = "board:pi5", **more: Any) -> Row:
    """Return a row of a board that counts instructions: `count` at least, .01 % more at most."""
    blocks = (Block(0, "measure", (count, round(count * 1.0001), count)),)
    return row(name, device, blocks=blocks, unit="instructions", **more)


def failed_row(name: str, reason: str = DIED, **more: Any) -> Row:
    """Return a row that failed."""
    return replace(
        row(name, **more),
        status="failed",
        reason=reason,
        blocks=(),
        statistics=None,
        ratio_to_fp32=None,
        fidelity=None,
    )


def absent_row(name: str, device: str = "host") -> Row:
    """Return a row of a device that has no engine for the artifact."""
    return replace(failed_row(name, "needs browser:wasm", device=device), status="not available")


def results_of(*rows: Row, **more: Any) -> Results:
    """Return results of these rows."""
    devices = dict.fromkeys(row.device for row in rows)
    environments = {
        device: BOARD if device.startswith("board:") else ENVIRONMENT for device in devices
    }
    values: dict[str, Any] = {
        "bundle": "digits",
        "edgekit": "0.1.0",
        "created": "2026-11-21T08:37:28+00:00",
        "plan": QUICK,
        "threads": 1,
        "samples": 64,
        "noise": False,
        "environments": environments,
        "rows": tuple(rows),
        **more,
    }
    return Results(**values)


def store(path: Path, rows: Sequence[Row] | Results, **more: Any) -> Path:
    """Write results as `bench --json` prints them; return the path."""
    results = rows if isinstance(rows, Results) else results_of(*rows, **more)
    path.write_text(results.to_text(), encoding="utf-8")
    return path
