"""End edgekit at random moments, in every way: `make kill COUNT=100`.

    python tests/kill [--count N] [--seed S] [--only NAME,NAME]

Each kind of command is ended by SIGKILL, SIGTERM and SIGINT, N times each. Afterwards nothing may
be left running, the folder for temporary files is empty, what is there under a final name is whole,
and the same command, typed again, completes and leaves nothing else. Exit code 1 if not.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from edgekit.bundle.bundle import load_bundle
from edgekit.bundle.verify import verify_bundle
from edgekit.results.results import load_results
from edgekit_runtimes.devices.board.cache import find_userland

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
# How soon what a killed run left must be gone.
CLEARED_S = 10.0
LOOK_S = 0.05
LIMIT_S = 300.0
WORD = "EDGEKIT_KILL_TEST"

BUNDLE, RESULTS = "net.edgekit", "results.json"
CONVERT = f"convert net.keras --to tfjs,tflite --recipe fp32,fp16 -o {BUNDLE}"
BENCH = f"bench {BUNDLE} -o {RESULTS} --on"

MODEL = """
import keras
from keras import layers
x = keras.Input((8, 8, 1), name="x")
y = layers.Flatten()(layers.Conv2D(4, 3, activation="relu")(x))
keras.Model(x, layers.Dense(4, activation="softmax", name="class")(y)).save("net.keras")
"""


@dataclass(frozen=True)
class Kind:
    """A command that is ended. first: what is there before; other: what runs beside it."""

    name: str
    words: str
    first: tuple[str, ...] = ()
    other: str = ""


KINDS = (
    Kind("convert", CONVERT),
    Kind("convert --force", f"{CONVERT} --force", (BUNDLE,)),
    Kind("two at once", CONVERT, other=CONVERT.replace("tfjs,tflite", "tfjs")),
    Kind("bench on host", f"{BENCH} host", (BUNDLE,)),
    Kind("bench in a browser", f"{BENCH} browser:wasm", (BUNDLE,)),
    Kind("bench on a board", f"{BENCH} board:pi5", (BUNDLE,)),
)


class Place:
    """A folder in which commands run, with its own folder for temporary files."""

    def __init__(self, folder: Path, seeds: Path) -> None:
        self.folder, self._seeds = folder, seeds
        self.temporary = folder.parent / "tmp"
        self.word = uuid.uuid4().hex

    def prepare(self, names: tuple[str, ...]) -> None:
        """Empty the folder and put the model and `names` into it."""
        for path in (self.folder, self.temporary):
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
        shutil.copy(self._seeds / "net.keras", self.folder)
        for name in names:
            shutil.copytree(self._seeds / name, self.folder / name)

    def start(self, words: str) -> subprocess.Popen[bytes]:
        """Start a command."""
        return subprocess.Popen(
            [sys.executable, "-m", "edgekit", *words.split()],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(self.temporary), WORD: self.word},
            start_new_session=True,
        )

    def faults(self, after: str) -> list[str]:
        """Return what is not as promised once a run has ended."""
        found = []
        if not _soon(lambda: not self._running()):
            found.append(f"{after}: still running: {self._running()}")
        if not _soon(lambda: not any(self.temporary.iterdir())):
            left = sorted(path.name for path in self.temporary.iterdir())
            found.append(f"{after}: left in the temporary folder: {left}")
        return found + [f"{after}: {fault}" for fault in self._damage()]

    def strays(self) -> list[str]:
        """Return what lies about beside the model, the bundle and the results."""
        kept = {"net.keras", BUNDLE, RESULTS}
        bundle = self.folder / BUNDLE
        inner = [path.name for path in bundle.glob(".*")] if bundle.is_dir() else []
        return [path.name for path in self.folder.iterdir() if path.name not in kept] + inner

    def _damage(self) -> list[str]:
        found = []
        if (self.folder / BUNDLE).exists():
            verdicts = verify_bundle(load_bundle(self.folder / BUNDLE))
            found += [f"{one.member}: {one.fault}" for one in verdicts if one.fault]
        if (self.folder / RESULTS).exists():
            load_results(self.folder / RESULTS)
        return found

    def _running(self) -> list[str]:
        found = []
        entry = f"{WORD}={self.word}".encode()
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdecimal() and entry in (folder / "environ").read_bytes():
                    words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found.append(f"{folder.name} {words[:80]}")
            except OSError:
                continue
        return found


def _soon(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + CLEARED_S
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_S)
    return True


def finish(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    """Return a process's exit code and what it said on stderr."""
    _, said = process.communicate(timeout=LIMIT_S)
    return process.returncode, said.decode(errors="replace")


def end_one(kind: Kind, place: Place, number: signal.Signals, moment: float) -> list[str]:
    """Run a command, end it after `moment` seconds, and return what is not as promised."""
    place.prepare(kind.first)
    process = place.start(kind.words)
    other = place.start(kind.other) if kind.other else None
    time.sleep(moment)
    process.send_signal(number)
    code, said = finish(process)
    # Before the command line is read, a signal ends it as any program.
    allowed = {-number} if number == signal.SIGKILL else {-number, 128 + number}
    faults = []
    if code not in allowed | {0}:
        faults.append(f"exit code {code}: {said[-300:]}")
    if "Traceback" in said:
        faults.append(f"a traceback: {said[-300:]}")
    if other:
        code, said = finish(other)
        if code != 0:
            faults.append(f"the other run ended with {code}: {said[-300:]}")
    faults += place.faults("after it")
    code, said = finish(place.start(kind.words))
    if code != 0:
        faults.append(f"the next run ended with {code}: {said[-300:]}")
    return faults + place.faults("after the next run") + [f"left: {s}" for s in place.strays()]


def end_many(kind: Kind, place: Place, count: int, random: Random) -> int:
    """End a command `count` times by each signal; return how often something was wrong."""
    place.prepare(kind.first)
    start = time.monotonic()
    code, said = finish(place.start(kind.words))
    whole_s = time.monotonic() - start
    if code != 0:
        print(f"{kind.name}: cannot be tried here: {said[-300:]}")
        return 1
    wrong = 0
    for number in SIGNALS:
        for _ in range(count):
            moment = random.uniform(0, whole_s)
            faults = end_one(kind, place, number, moment)
            wrong += bool(faults)
            for fault in faults:
                print(f"  {kind.name}, {number.name} after {moment:.2f} s: {fault}", flush=True)
    total = count * len(SIGNALS)
    print(f"{kind.name}: ended {total} times within {whole_s:.1f} s, {wrong} wrong", flush=True)
    return wrong


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    only = options.only.split(",") if options.only else [kind.name for kind in KINDS]
    if "bench on a board" in only and find_userland().userland is None:
        print("The board is not built: type edgekit board build pi5, or leave it out with --only.")
        return 2
    random = Random(options.seed)
    wrong = {}
    with tempfile.TemporaryDirectory() as folder:
        seeds, work = Path(folder) / "seeds", Path(folder) / "work"
        for path in (seeds, work):
            path.mkdir()
        subprocess.run([sys.executable, "-c", MODEL], cwd=seeds, check=True, capture_output=True)
        command = [sys.executable, "-m", "edgekit", *CONVERT.split()]
        subprocess.run(command, cwd=seeds, check=True, capture_output=True)
        place = Place(work / "here", seeds)
        for kind in KINDS:
            if kind.name in only:
                wrong[kind.name] = end_many(kind, place, options.count, random)
    if options.json:
        options.json.write_text(json.dumps(wrong))
    return 1 if any(wrong.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
