"""Print what edgekit/results computes and the demo must compute too (demo_statistics.test.ts)."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np

from edgekit.forms import to_form
from edgekit.results.fidelity import FidelityAccumulator
from edgekit.results.statistics import compare, student_975, summarize
from edgekit_runtimes.tensors import encode_array

SEED = 4


def blocks(generator: np.random.Generator, count: int, time: float, spread: float) -> Any:
    """Return `count` blocks of samples around a time in ns."""
    factor = np.exp(generator.normal(0, spread))
    return [
        [round(time * factor * np.exp(generator.normal(0, 0.05))) for _ in range(7)]
        for _ in range(count)
    ]


def ratios(generator: np.random.Generator) -> list[dict[str, Any]]:
    """Return ratios over one to three processes, with and without luck between them."""
    cases = [(1, 2, 0.0), (1, 6, 0.0), (3, 4, 0.0), (3, 4, 0.3), (2, 5, 0.1), (3, 2, 0.1)]
    result = []
    for processes, count, spread in cases:
        for time in (0.5e6, 1e6, 1.02e6, 2e6):
            candidate = [blocks(generator, count, time, spread) for _ in range(processes)]
            reference = [blocks(generator, count, 1e6, spread) for _ in range(processes)]
            ratio = compare(candidate, reference)
            case = {"candidate": candidate, "reference": reference, "ratio": asdict(ratio)}
            result.append(case)
    return result


def summaries(generator: np.random.Generator) -> list[dict[str, Any]]:
    """Return summaries of samples with outliers, of equal ones, and of few."""
    times = generator.lognormal(13, 0.1, 60).round().astype(int).tolist()
    series = [[5], [5, 7], [100] * 9, [100] * 9 + [300], [*times, 10**9], times[:10]]
    return [{"samples": samples, "statistics": asdict(summarize(samples))} for samples in series]


def fidelities(generator: np.random.Generator) -> list[dict[str, Any]]:
    """Return fidelities of exact, near, wrong, broken and empty outputs."""
    original = generator.normal(0, 2, (12, 5)).astype(np.float32)
    holes = original.copy()
    holes[3, 2] = np.nan
    broken = original.copy()
    broken[0, 0] = np.inf
    zero = np.zeros_like(original)
    value = original[:, 0].copy()
    pairs = [
        (original, original),
        (original, (original + generator.normal(0, 0.1, original.shape)).astype(np.float32)),
        (original, original[:, ::-1].copy()),
        (original, broken),
        (holes, original),
        (zero, original),
        (original, zero),
        (zero, zero),
        (value, value + np.float32(0.25)),
        (original.astype(np.int32), original.round().astype(np.int32)),
    ]
    result = []
    for expected, actual in pairs:
        accumulator = FidelityAccumulator({"y": expected})
        accumulator.add(0, {"y": actual[:5]})
        accumulator.add(5, {"y": actual[5:]})
        form = to_form(accumulator.result())
        result.append(
            {"original": encode_array(expected), "actual": encode_array(actual), "fidelity": form}
        )
    return result


if __name__ == "__main__":
    random = np.random.default_rng(SEED)
    vectors = {
        "summaries": summaries(random),
        "ratios": ratios(random),
        "student": [student_975(freedom) for freedom in range(1, 41)],
        "fidelities": fidelities(random),
    }
    print(json.dumps(vectors, separators=(",", ":"), allow_nan=False))
