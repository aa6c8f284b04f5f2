"""What edgekit's evaluation adds to a bare loop: 10,000 32 x 32 images, a small int8 CNN, LiteRT.

    python benchmarks/evaluation_speed.py [--rounds 7]

Both sides are separate processes and count right answers of the same file on the same images:

    bare     start Python, load the file; for each image set the input, invoke, read the output and
             compare its first class with the label
    edgekit  start a worker, let it load the file and run the images, take its outputs as they come
             through the pipe and judge them, with what a paired comparison needs

Taken in turns. Printed: the whole of each side with its start and end, and the loops alone (in
edgekit's from the event before the first run to the worker's last event, and the judgement), as
medians with the ratio of the medians. The target is for the loops: starting and ending a worker
costs the same however many images there are.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import edgekit
from edgekit.bench.accuracy.judge import open_judge
from edgekit.bench.accuracy.labels import labelled_output
from edgekit_runtimes.devices import open_device
from edgekit_runtimes.protocol.events import read_events
from edgekit_runtimes.protocol.job import Job, JobModel

IMAGES = 10_000
CLASSES = 10
TARGET_RATIO = 1.5

MODEL = """
import sys
import keras
from keras import layers
keras.utils.set_random_seed(1)
image = keras.Input((32, 32, 3), name="image")
x = layers.Rescaling(1 / 255)(image)
for filters in (16, 32, 64):
    x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D()(x)
x = layers.Dense(10, name="class")(layers.GlobalAveragePooling2D()(x))
keras.Model(image, x).save(sys.argv[1])
"""

BARE = """
import sys, time
import numpy as np
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
(source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
images, labels = np.load(sys.argv[2], mmap_mode="r"), np.load(sys.argv[3])
right = 0
before = time.perf_counter()
for number in range(len(images)):
    interpreter.set_tensor(source["index"], images[number : number + 1].astype(source["dtype"]))
    interpreter.invoke()
    right += int(interpreter.get_tensor(target["index"])[0].argmax() == labels[number])
print(right, time.perf_counter() - before)
"""


def main() -> None:
    """Run both sides in turns and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sides: dict[str, list[tuple[float, float]]] = {"bare": [], "edgekit": []}
    with tempfile.TemporaryDirectory() as folder:
        model, images, labels = make(Path(folder))
        for _ in range(rounds):
            right, *seconds = run_bare(model, images, labels)
            sides["bare"].append((seconds[0], seconds[1]))
            ours, *seconds = run_edgekit(model, images, labels)
            sides["edgekit"].append((seconds[0], seconds[1]))
            if ours != right:
                raise SystemExit(f"edgekit counts {ours} right answers, the bare loop {right}")
    print(f"{right} of {IMAGES} right on both sides, {rounds} rounds")
    ratios = {}
    for place, name in enumerate(("whole", "loop")):
        medians = [statistics.median(pair[place] for pair in pairs) for pairs in sides.values()]
        ratios[name] = medians[1] / medians[0]
        print(
            f"{name:5}  bare {medians[0]:.3f} s, edgekit {medians[1]:.3f} s, "
            f"ratio {ratios[name]:.2f}"
        )
    if ratios["loop"] > TARGET_RATIO:
        raise SystemExit(f"the loop takes more than {TARGET_RATIO} times as long as the bare one")


def make(folder: Path) -> tuple[Path, Path, Path]:
    """Return an int8 file, images and labels."""
    source, calibration = folder / "cnn.keras", folder / "calibration.npz"
    subprocess.run(
        [sys.executable, "-c", MODEL, str(source)], check=True, stderr=subprocess.DEVNULL
    )
    generator = np.random.default_rng(1)
    images = generator.integers(0, 256, (IMAGES, 32, 32, 3), np.uint8)
    np.save(folder / "images.npy", images)
    np.save(folder / "labels.npy", generator.integers(0, CLASSES, IMAGES))
    np.savez(calibration, x=images[:100])
    bundle = edgekit.convert(
        source, folder / "cnn.edgekit", to="tflite", recipe="int8", calibration=calibration
    )
    (record,) = bundle.artifacts
    return bundle.artifact_path(record), folder / "images.npy", folder / "labels.npy"


def run_bare(model: Path, images: Path, labels: Path) -> tuple[int, float, float]:
    """Return the right answers, and the seconds of the process and of its loop."""
    command = [sys.executable, "-c", BARE, str(model), str(images), str(labels)]
    before = time.perf_counter()
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    whole_s = time.perf_counter() - before
    right, loop_s = answer.stdout.split()
    return int(right), whole_s, float(loop_s)


def run_edgekit(model: Path, images: Path, labels: Path) -> tuple[int, float, float]:
    """Return the right answers, and the seconds of the evaluation and of its loop."""
    before = time.perf_counter()
    scores = {"class": np.zeros((1, CLASSES), np.float32)}
    judge = open_judge(labelled_output(np.load(labels), IMAGES, scores))
    module = "edgekit_runtimes.engines.litert"
    job = Job((JobModel("int8", module, str(model)),), {"image": str(images)}, outputs=-1)
    started = ended = before
    with open_device("host") as device:

        def events():  # type: ignore[no-untyped-def]
            nonlocal started, ended
            for event in device.run(job):
                if event["event"] == "running":
                    started = time.perf_counter()
                ended = time.perf_counter()
                yield event

        record = read_events(events(), lambda _, start, outputs: judge.add(start, outputs))
    if record.errors:
        raise SystemExit(str(record.errors))
    closed = time.perf_counter()
    right = judge.result().accuracy.correct or 0
    after = time.perf_counter()
    return right, after - before, ended - started + after - closed


if __name__ == "__main__":
    main()
