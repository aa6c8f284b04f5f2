"""How long the blocks should be in which a model and its own copy take turns, at 1 ms per run.

    python benchmarks/block_length.py [--processes 5] [--seconds 12.8]          about six minutes

In each fresh process the two are measured in ABBA rounds for the given seconds at each length of
block. What counts is how far the ratio of a *quick* process is off: that of .3 s per side, which is
the more rounds the shorter they are. Printed, for each length: the standard deviation of that ratio
in each process. The truth is 1. The machine decides: where nothing else runs, all lengths are
alike; on shared ones short blocks win, since what changes more slowly than a round hits both.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from harness_overhead import RUN_S, sample, write_model_of_a_run

from edgekit.results.plan import MIN_S
from edgekit.results.statistics import compare
from edgekit_runtimes.engines import litert
from edgekit_runtimes.timing import palindrome, timed_block

BLOCKS_S = (0.005, 0.01, 0.025, 0.05, 0.1)
WARMUP_RUNS = 500


def main() -> None:
    """Measure in fresh processes, and print one line per length."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=12.8, help="at each length")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        print(json.dumps([spread(options.inside, s, options.seconds) for s in BLOCKS_S]))
        return
    with tempfile.TemporaryDirectory() as folder:
        write_model_of_a_run(Path(folder) / "a.tflite")
        shutil.copy(Path(folder) / "a.tflite", Path(folder) / "b.tflite")
        command = [sys.executable, __file__, "--inside", folder, "--seconds", str(options.seconds)]
        spreads = [
            json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            for _ in range(options.processes)
        ]
    for block_s, values in zip(BLOCKS_S, np.transpose(spreads), strict=True):
        print(
            f"blocks of {1000 * block_s:3g} ms: the ratio of {MIN_S:g} s a side is off by "
            f"{values.min():.1%} to {values.max():.1%} (median {np.median(values):.1%})"
        )


def spread(folder: str, block_s: float, seconds: float) -> float:
    """Return the standard deviation of the ratio of MIN_S per side."""
    runs = round(block_s / RUN_S)
    models = [litert.load(Path(folder) / f"{name}.tflite", {}) for name in "ab"]
    bound = [model.bind(sample()) for model in models]
    for call in bound:
        timed_block(call, WARMUP_RUNS)
    rounds = max(1, round(MIN_S / (2 * block_s)))
    ratios = []
    for _ in range(int(seconds / (2 * MIN_S))):
        blocks: list[list[list[int]]] = [[], []]
        for _ in range(rounds):
            for side in palindrome((0, 1)):
                blocks[side].append(timed_block(bound[side], runs))
        ratios.append(compare([blocks[0]], [blocks[1]]).value)
    return float(np.std(ratios, ddof=1))


if __name__ == "__main__":
    main()
