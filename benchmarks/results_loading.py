"""How long results files of about 1 MB and 100 MB take to open and to write, and the memory of it.

    python benchmarks/results_loading.py       half a minute

A row is an artifact: its times are made up, in blocks of 400 runs as a model of 12 µs has
them. Each figure is that of a fresh process; the memory is its peak.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from edgekit.results.plan import QUICK
from edgekit.results.results import Block, Results, Row, load_results
from edgekit.results.statistics import summarize

BLOCK_RUNS = 400
BLOCKS = 250
# About .6 MB each.
ROWS = {"1 MB": 2, "100 MB": 170}
TRIES = 3


def make_results(rows: int) -> Results:
    """Return results with this many rows."""
    random = np.random.default_rng(1)
    created = "2026-11-21T00:00:00+00:00"
    environments = {"host": {"cpu": "made up", "engines": {"litert": "2.3.0"}}}
    made = tuple(_row(random, number) for number in range(rows))
    return Results("made up", "0.1.0", created, QUICK, 1, 64, False, environments, made)


def _row(random: np.random.Generator, number: int) -> Row:
    times = random.lognormal(np.log(12_000), 0.1, (BLOCKS, BLOCK_RUNS)).astype(int).tolist()
    blocks = tuple(Block(0, "measure", tuple(samples)) for samples in times)
    name = f"tflite/fp32+prune{number}"
    return Row(
        device="host",
        id=name,
        format="tflite",
        recipe=f"fp32+prune{number}",
        engine="litert",
        status="ok",
        bytes=40_000,
        blocks=blocks,
        statistics=summarize(times[0]),
    )


def measure(path: Path) -> dict[str, float]:
    """Return seconds of opening and of writing a file, and the peak of memory in MB."""
    before = time.perf_counter()
    results = load_results(path)
    opened = time.perf_counter()
    results.to_text()
    written = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return {"open": opened - before, "write": written - opened, "peak_mb": peak}


def main() -> None:
    """Print the figures of both files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in ROWS.items():
            path = Path(folder) / f"{rows}.json"
            make_results(rows).save(path)
            found = []
            for _ in range(TRIES):
                command = [sys.executable, __file__, str(path)]
                answer = subprocess.run(command, check=True, capture_output=True, text=True)
                found.append(json.loads(answer.stdout))
            medians = {key: statistics.median(one[key] for one in found) for key in found[0]}
            print(
                f"{name} ({path.stat().st_size / 1e6:.1f}): open {medians['open'] * 1e3:.1f} ms, "
                f"write {medians['write'] * 1e3:.1f} ms, peak {medians['peak_mb']:.0f} MB"
            )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(Path(sys.argv[1]))))
    else:
        main()
