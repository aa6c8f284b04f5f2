"""How often a quick bench tells an artifact from its own copy, and from one with 5 % more work.

    python benchmarks/aa_power.py [--comparisons 100] [--into results.jsonl]

100 comparisons of each kind take about half an hour. With --into, each is written down as it is
made, and a run that was interrupted continues where it stopped. Leave the machine alone meanwhile.

    equal     the same TFLite file and a copy of it: how many are called faster or slower
    5 % more  a file with 5 % more of the same layers (63 convolutions against 60, say): how many
              are called slower. It is the engine that does the additional work; nothing waits.

The files take about 1 ms per run. Each comparison is what a user gets: `run_bench` with the quick
plan, fresh worker processes, the verdict of the row. Five comparisons of each kind make one bench,
as the artifacts of a bundle do. The counts are printed with their 95 % interval (Wilson).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from harness_overhead import sample, write_model, write_model_of_a_run

from edgekit.bench.request import BenchRequest
from edgekit.bench.run import run_bench
from edgekit.inspect.subject import Subject
from edgekit.results.accuracy import wilson_interval
from edgekit_runtimes.engines import litert

# Twenty layers, or a multiple of it: then 5 % more are whole layers.
LAYERS = 20
MORE = 1.05
BATCH = 5
MOST_FALSE_ALARMS = 0.05
LEAST_FOUND = 0.9

Comparison = dict[str, Any]


def main() -> None:
    """Compare, and print the counts after each bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--comparisons", type=int, default=100, help="of each kind")
    parser.add_argument("--into", type=Path, help="a file for what was found, one JSON per line")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = read(options.into)
        layers = found[0]["layers"] if found else layers_of_a_run(Path(folder))
        print(f"{layers} convolutions against {layers} and {round(layers * MORE)}", flush=True)
        while count(found, "equal") < options.comparisons:
            batch = min(BATCH, options.comparisons - count(found, "equal"))
            for comparison in compare(Path(folder), layers, batch):
                found.append(comparison)
                if options.into:
                    with options.into.open("a") as stream:
                        stream.write(json.dumps(comparison) + "\n")
            print(summary(found), flush=True)
    rates = [share(found, "equal", "slower", "faster"), share(found, "more", "slower")]
    if rates[0] > MOST_FALSE_ALARMS or rates[1] < LEAST_FOUND:
        raise SystemExit(1)


def compare(folder: Path, layers: int, batch: int) -> Iterator[Comparison]:
    """Make one bench of a file against `batch` copies and as many files with more layers."""
    work = Path(tempfile.mkdtemp(dir=folder))
    write_model(work / "fp32.tflite", layers)
    write_model(work / "more.tflite", round(layers * MORE))
    names = ["fp32"]
    for number in range(batch):
        for kind, file in (("equal", "fp32"), ("more", "more")):
            names.append(f"{kind}{number}")
            shutil.copy(work / f"{file}.tflite", work / f"{names[-1]}.tflite")
    np.save(work / "x.npy", sample()["x"])
    request = BenchRequest(
        bundle="aa",
        subjects=[
            Subject(f"tflite/{name}", "tflite", name, path, path.stat().st_size)
            for name, path in ((name, work / f"{name}.tflite") for name in names)
        ],
        inputs={"x": str(work / "x.npy")},
        golden=litert_outputs(work / "fp32.tflite"),
    )
    load = os.getloadavg()[0]
    for row in run_bench(request).rows[1:]:
        if row.ratio_to_fp32 is None or row.statistics is None:
            raise SystemExit(f"{row.id}: {row.reason or row.ratio_reason}")
        ratio = row.ratio_to_fp32
        yield {
            "kind": row.recipe.rstrip("0123456789"),
            "layers": layers,
            "value": ratio.value,
            "low": ratio.low,
            "high": ratio.high,
            "verdict": ratio.verdict,
            "median_ns": row.statistics.median,
            "load_average": load,
        }
    shutil.rmtree(work)


def litert_outputs(path: Path) -> dict[str, Any]:
    """Return the outputs of a file for the sample, samples along the first axis."""
    return litert.load(path, {}).run(sample())


def layers_of_a_run(folder: Path) -> int:
    """Return how many layers take about 1 ms here, a multiple of LAYERS."""
    layers = write_model_of_a_run(folder / "trial.tflite")
    return LAYERS * max(1, round(layers / LAYERS))


def read(path: Path | None) -> list[Comparison]:
    """Return the comparisons of an earlier run; a line that was cut off does not count."""
    if path is None or not path.exists():
        return []
    lines = path.read_text().splitlines()
    return [json.loads(line) for line in lines if line.endswith("}")]


def count(found: list[Comparison], kind: str, *verdicts: str) -> int:
    """Return how many comparisons of a kind there are, with one of the verdicts where given."""
    return sum(
        one["kind"] == kind and (not verdicts or one["verdict"] in verdicts) for one in found
    )


def share(found: list[Comparison], kind: str, *verdicts: str) -> float:
    """Return the share of the comparisons of a kind that ended with one of the verdicts."""
    return count(found, kind, *verdicts) / count(found, kind)


def summary(found: list[Comparison]) -> str:
    """Return the counts so far, one line per kind."""
    lines = []
    for kind, verdicts, text in (
        ("equal", ("faster", "slower"), "equal:    called different"),
        ("more", ("slower",), "5 % more: called slower"),
    ):
        total, hits = count(found, kind), count(found, kind, *verdicts)
        low, high = wilson_interval(hits, total)
        these = [one for one in found if one["kind"] == kind]
        half = statistics.median((one["high"] - one["low"]) / 2 for one in these)
        ratio = statistics.median(one["value"] for one in these)
        run_ms = statistics.median(one["median_ns"] for one in these) / 1e6
        lines.append(
            f"{text} {hits} of {total} ({low:.0%} to {high:.0%}); {run_ms:.2f} ms per run, median "
            f"ratio {ratio:.4f}, interval +-{half:.4f}, load {these[-1]['load_average']:.1f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
