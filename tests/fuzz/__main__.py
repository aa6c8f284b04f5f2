"""Damage files of every format and put them through the command line: `make fuzz COUNT=10000`.

    python tests/fuzz [--count N] [--seed S] [--only NAME,NAME] [--keep FOLDER]

Prints what each format's mutants came to. One that breaks a promise (an exit code other than 0 to
3, a traceback, "should not happen", a control character, over 60 s or 1 GB) is kept in FOLDER with
its seed and its command line, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

sys.path[:0] = [str(Path(__file__).parents[1])]

from fuzz.mutate import mutant  # noqa: E402
from fuzz.server import Outcome, import_all, run  # noqa: E402
from fuzz.targets import SOURCES, TARGETS, Target, make_seeds  # noqa: E402


def try_one(target: Target, seeds: Path, seed: int, work: Path) -> tuple[list[str], Path, Outcome]:
    """Make the mutant of that seed in `work` and run its command line."""
    random = Random(f"{target.name} {seed}")
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(seeds, work)
    files = sorted(
        file for pattern in target.files for file in work.glob(pattern) if file.is_file()
    )
    file = random.choice(files)
    file.write_bytes(mutant(file.read_bytes(), file.name, random))
    command = random.choice(target.commands)
    words = [word.replace("{file}", str(file.relative_to(work))) for word in command.split()]
    return words, file, run(words, work)


def fuzz(target: Target, seeds: Path, seeds_of: range, keep: Path) -> tuple[Counter[str], int]:
    """Return how mutants ended, and how many broke a promise; those are kept."""
    codes: Counter[str] = Counter()
    slowest = largest = 0.0
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        for seed in seeds_of:
            words, file, outcome = try_one(target, seeds, seed, work)
            codes[str(outcome.exit_code)] += 1
            slowest = max(slowest, outcome.seconds)
            largest = max(largest, outcome.peak_bytes)
            if outcome.fault:
                faults += 1
                _keep(keep / f"{target.name}-{seed}", file, words, seed, outcome)
                print(f"  {target.name} {seed}: {outcome.fault}: {' '.join(words)}", flush=True)
    ended = ", ".join(f"{number} with {code}" for code, number in sorted(codes.items()))
    print(
        f"{target.name}: {len(seeds_of)} mutants, {ended}; at most {slowest:.1f} s and "
        f"{largest / 1e6:.0f} MB; {faults} broke a promise",
        flush=True,
    )
    return codes, faults


def _keep(folder: Path, file: Path, words: list[str], seed: int, outcome: Outcome) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, folder)
    form = {"seed": seed, "words": words, "fault": outcome.fault, "printed": outcome.text[-4000:]}
    (folder / "case.json").write_text(json.dumps(form, indent=2))


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=1300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"))
    parser.add_argument("--seeds", type=Path, help="where whole files are, or will be made")
    options = parser.parse_args()
    only = options.only.split(",") if options.only else [target.name for target in TARGETS]
    targets = [target for target in TARGETS if target.name in only]
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        seeds = options.seeds or Path(folder) / "seeds"
        if not seeds.is_dir():
            seeds.mkdir(parents=True)
            make_seeds(seeds)
        import_all(any(target.name in SOURCES for target in targets))
        each = max(1, options.count // len(targets))
        numbers = range(options.seed, options.seed + each)
        faults = sum(fuzz(target, seeds, numbers, options.keep)[1] for target in targets)
    total = each * len(targets)
    print(f"{total} mutants in {time.monotonic() - start:.0f} s, {faults} broke a promise")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
