"""One process that converts what it is told: a line of JSON in, a line of JSON out.

{"cases": […], "formats": […], "recipes": […]} -> {"cells": [{"case": …, "format": …, …}]}
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from zoo.build import build
from zoo.case import Case
from zoo.cases import all_cases
from zoo.judge import CRASHED, Verdict, as_number, judge_refusal, judge_row

import edgekit
from edgekit_runtimes.errors import EdgekitError, first_line


def convert(cases: Sequence[Case], formats: list[str], recipes: list[str]) -> Iterator[Any]:
    """Yield the cells of the cases, converted in one model."""
    start = time.perf_counter()
    for name, case, recipe, verdict in _verdicts(cases, formats, recipes):
        cell = {"case": case.id, "format": name, "recipe": recipe, **asdict(verdict)}
        cell["sqnr_db"] = as_number(verdict.sqnr_db)
        yield {**cell, "seconds": round(time.perf_counter() - start, 1), "company": len(cases)}


def _verdicts(cases: Sequence[Case], formats: list[str], recipes: list[str]) -> Iterator[Any]:
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        try:
            built = build(cases)
            built.model.save(folder / "net.keras")
            np.savez(folder / "samples.npz", **dict(built.samples))
        except Exception as error:
            reason = f"Keras cannot build or save it: {type(error).__name__}: {first_line(error)}"
            for case in cases:
                for name in formats:
                    for recipe in recipes:
                        yield name, case, recipe, Verdict(CRASHED, None, reason)
            return
        rows: list[Any] = []
        failure = None
        try:
            edgekit.convert(
                folder / "net.keras",
                folder / "net.edgekit",
                to=formats,
                recipe=recipes,
                calibration=folder / "samples.npz",
                input_shape=cases[0].input_shape,
                on_artifact=rows.append,
            )
        except EdgekitError as error:
            failure = str(error).replace(str(folder / "net.keras"), "net.keras")
        except Exception as error:
            failure = f"{type(error).__name__}: {first_line(error)}"
        for case in cases:
            outputs = built.outputs[case.id] if built.outputs else None
            for row in rows:
                yield row.format, case, row.recipe, judge_row(row, case, outputs)
            for name, recipe in _missing(rows, formats, recipes):
                yield name, case, recipe, judge_refusal(str(failure), case)


def _missing(rows: list[Any], formats: list[str], recipes: list[str]) -> Iterator[Any]:
    made = {(row.format, row.recipe) for row in rows}
    wanted = ((name, recipe) for name in formats for recipe in recipes)
    return (pair for pair in wanted if pair not in made)


def main() -> None:
    """Answer each line of stdin."""
    answers = os.fdopen(os.dup(1), "w")
    # What libraries print must not mix with the answers.
    os.dup2(2, 1)
    known = {case.id: case for case in all_cases()}
    for line in sys.stdin:
        job = json.loads(line)
        cases = [known[name] for name in job["cases"]]
        cells = list(convert(cases, job["formats"], job["recipes"]))
        print(json.dumps({"cells": cells}), file=answers, flush=True)


if __name__ == "__main__":
    main()
