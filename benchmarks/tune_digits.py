"""What `edgekit tune` finds for the digits net, against the goals that were set for it.

    python benchmarks/tune_digits.py                  the download
    python benchmarks/tune_digits.py --on board:pi5   instructions too: minutes on an emulated board

Within 1 point of the original: an artifact of at most .12 of fp32's brotli bytes, one of at most
.20 of its instructions, and the search ends in five minutes on two cores. Exit code 1 where one is
missed.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import edgekit
from edgekit.tune.tuning import Tuned
from edgekit_runtimes.owned.folder import temporary_folder

DIGITS = Path(__file__).parent.parent / "examples" / "digits"
MOST_S = 300
GOALS = {"wire": 0.12, "instructions": 0.20}


def main() -> int:
    """Tune, print what was found beside the goals, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--on", help="a board, for instructions")
    device = parser.parse_args().on
    missed = False
    for objective in ("wire", *(["instructions"] if device else [])):
        with temporary_folder() as folder:
            started = time.monotonic()
            tuned = edgekit.tune(
                DIGITS / "digits.keras",
                Path(folder) / "tuned.edgekit",
                calibration=DIGITS / "digits.npz",
                data=DIGITS / "digits.npz",
                minimize=objective,
                on=device if objective == "instructions" else None,
                within=MOST_S,
                jobs=2,
                front=print,
            )
            seconds = time.monotonic() - started
        share = _share(tuned, objective)
        print(*tuned.record.notes, sep="\n")
        print(
            f"{objective}: {share:.3f} of fp32's (goal {GOALS[objective]:.2f}) in {seconds:.0f} s "
            f"(goal {MOST_S}), {len(tuned.record.tried)} candidates"
        )
        missed |= share > GOALS[objective] or seconds > MOST_S
    return int(missed)


def _share(tuned: Tuned, objective: str) -> float:
    """Return the cost of what was chosen over that of fp32."""
    costs = {row.id: row.costs[objective] for row in tuned.record.tried if row.costs}
    chosen = [costs[row.id] for row in tuned.record.tried if row.artifact]
    return min(chosen, default=costs["tflite/fp32"]) / costs["tflite/fp32"]


if __name__ == "__main__":
    sys.exit(main())
