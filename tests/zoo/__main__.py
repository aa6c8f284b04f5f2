"""Convert every net of the zoo to every format and write docs/coverage.md.

    make test-zoo                     all of it, continued where it was interrupted
    make test-zoo ZOO='LSTM|GRU'      the cases whose id matches
    make test-zoo ZOO_RECIPES=fp32    some recipes

Exit status 1: an artifact is wrong, or something crashed, or under 95 % of fp32 cells are right.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path

from zoo.cases import all_cases
from zoo.coverage import uncovered, uncovered_families
from zoo.kept import Kept, results_file
from zoo.page import TARGET, render, summary
from zoo.walk import RECIPES, plan, walk


def main() -> int:
    """Walk, write the page, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pattern", nargs="?", default="", help="cases whose id matches")
    parser.add_argument("--recipes", default=",".join(RECIPES))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--results", type=Path, help="the file to continue, of other code too")
    parser.add_argument("--again", default="", help="statuses to convert again: wrong,crashed")
    parser.add_argument("--minutes", type=float, default=0, help="start nothing new after them")
    options = parser.parse_args()
    everything = all_cases()
    lacking = [*uncovered(everything), *uncovered_families()]
    if lacking:
        print(f"in no case of tests/zoo: {', '.join(lacking)}")
    cases = [case for case in everything if re.search(options.pattern, case.id)]
    kept = Kept(options.results or results_file())
    if options.again:
        kept.without(options.again.split(","))
    start = time.monotonic()
    jobs = plan(cases, kept, options.recipes.split(","))
    print(f"{len(cases)} nets, {len(jobs)} models to convert", flush=True)

    def say(text: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {text}", flush=True)

    walk(jobs, kept, options.workers, say, 60 * options.minutes)
    if len(cases) == len(everything):
        TARGET.write_text(render(everything, kept), encoding="utf-8")
        print(f"wrote {TARGET}")
    text, good = summary(cases, kept)
    print(text)
    return 0 if good and not lacking else 1


if __name__ == "__main__":
    sys.exit(main())
