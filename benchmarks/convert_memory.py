"""How much memory and time one `edgekit convert` takes, step by step, and against another tree.

    python benchmarks/convert_memory.py [--against FOLDER] [--rounds 1] [--recipe …] [MODEL …]

MODEL: a class of keras.applications (ResNet50V2 and ConvNeXtTiny by default), built with seeded
random weights at 224 x 224, converted to all three formats with 100 calibration images of seeded
noise. FOLDER: a checkout of edgekit to compare with; both are run in turns.

Memory is what the process and its workers hold together, looked at every 20 ms; a page that two
processes share is counted twice. The limit is 1.2 GB and 12 times the size of the float model.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODELS = ("ResNet50V2", "ConvNeXtTiny")
RECIPES = "fp32,fp16,int8-weights,int8"
INTERVAL_SECONDS = 0.02
SAMPLES = 100

# TensorFlow, onnxruntime and Python themselves take about 1 GB.
LIMIT_BYTES = 1.2e9
LIMIT_TIMES = 12

MAKE = """
import sys
from pathlib import Path
import keras
import numpy as np
folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
keras.utils.set_random_seed(0)
build = getattr(keras.applications, name)
model = build(weights=None, classifier_activation=None, input_shape=(224, 224, 3))
generator = np.random.default_rng(0)
for layer in model.layers:
    # What is left at its start, 0 or 1, would leave nothing to compute.
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.moving_mean.assign(generator.normal(0, 0.1, layer.moving_mean.shape))
        layer.moving_variance.assign(generator.uniform(0.5, 1.5, layer.moving_variance.shape))
model.save(folder / f"{name}.keras")
np.save(folder / "x.npy", generator.uniform(-1, 1, (count, 224, 224, 3)).astype("float32"))
print(model.count_params())
"""

CONVERT = """
import sys
import edgekit
edgekit.convert(
    sys.argv[1], sys.argv[2], recipe=sys.argv[3], calibration=sys.argv[4],
    progress=lambda text: print(text, flush=True),
)
"""


@dataclass(frozen=True)
class Measured:
    """One conversion: its seconds, and the largest memory in bytes at each of its steps."""

    seconds: float
    steps: Mapping[str, float]

    @property
    def peak(self) -> float:
        """The largest memory at any step, in bytes."""
        return max(self.steps.values())


def tree_memory(root: int) -> int:
    """Return what a process and those it started have in memory, in bytes."""
    parents, sizes = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                parents[int(folder.name)] = int(fields[1])
                sizes[int(folder.name)] = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    members, pending = set(), [root]
    while pending:
        members.add(pending[-1])
        parent = pending.pop()
        pending += [one for one, its in parents.items() if its == parent and one not in members]
    return sum(sizes.get(member, 0) for member in members)


def convert(tree: Path, source: Path, samples: Path, recipes: str) -> Measured:
    """Convert by the edgekit of a checkout, in a process of its own."""
    folders = (tree, tree / "converters", tree / "runtimes")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    steps, step = {"start": 0.0}, ["start"]
    with tempfile.TemporaryDirectory() as folder:
        words = (str(source), f"{folder}/model.edgekit", recipes, str(samples))
        before = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", CONVERT, *words],
            env=environment,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

        def watch() -> None:
            while process.poll() is None:
                held = tree_memory(process.pid)
                steps[step[0]] = max(steps.get(step[0], 0), held)
                time.sleep(INTERVAL_SECONDS)

        watcher = threading.Thread(target=watch)
        watcher.start()
        for line in process.stdout or ():
            step[0] = line.strip().replace(str(source), source.name)
        watcher.join()
        seconds = time.perf_counter() - before
    if process.returncode:
        raise SystemExit(f"the conversion of {source.name} in {tree} ended with an error")
    return Measured(seconds, steps)


def compare(trees: Mapping[str, Path], folder: Path, name: str, recipes: str, rounds: int) -> None:
    """Convert one model by every tree in turns, and print what each took."""
    command = [sys.executable, "-c", MAKE, str(folder), name, str(SAMPLES)]
    made = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    size = 4 * int(made.stdout.split()[-1])
    limit = LIMIT_BYTES + LIMIT_TIMES * size
    print(f"{name}: {size / 1e6:.0f} MB in float32; limit {limit / 1e9:.2f} GB", flush=True)
    runs: dict[str, list[Measured]] = {label: [] for label in trees}
    for _ in range(rounds):
        for label, tree in trees.items():
            measured = convert(tree, folder / f"{name}.keras", folder / "x.npy", recipes)
            runs[label].append(measured)
            print(f"  {label}: {measured.peak / 1e9:.2f} GB, {measured.seconds:.0f} s", flush=True)
    steps = dict.fromkeys(step for found in runs.values() for one in found for step in one.steps)
    for step in steps:
        peaks = (max(one.steps.get(step, 0) for one in found) for found in runs.values())
        print(f"    {step:<48}", *(f"{peak / 1e9:6.2f} GB" for peak in peaks))
    if len(runs) > 1:
        pairs = list(zip(*runs.values(), strict=True))
        memory = statistics.median(ours.peak / theirs.peak for ours, theirs in pairs)
        seconds = statistics.median(ours.seconds / theirs.seconds for ours, theirs in pairs)
        print(f"  ratio: memory {memory:.2f}, time {seconds:.2f}", flush=True)


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--recipe", default=RECIPES)
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    trees = {"this": ROOT}
    if arguments.against:
        trees["other"] = arguments.against.resolve()
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.models:
            compare(trees, Path(folder), name, arguments.recipe, arguments.rounds)


if __name__ == "__main__":
    main()
