"""What is damaged and what is done with it: one target per format that edgekit reads."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# Those that are converted.
SOURCES = ("keras", "h5", "saved-model", "tflite-source", "onnx-source", "tfjs-source")


@dataclass(frozen=True)
class Target:
    """A format. files: those that are damaged, as patterns. commands: each mutant gets one."""

    name: str
    files: tuple[str, ...]
    commands: tuple[str, ...]


ARTIFACT = ("inspect {file}", "run {file} --input x.npz")
RUN = "run net.edgekit/tflite/fp32.tflite --limit 2 -o y.npz --input "
CONVERT = " --to tfjs --recipe fp32 -o new.edgekit"
CONVERT_TO_OWN = " --to tflite,onnx --recipe fp32,int8-weights -o new.edgekit"
TARGETS = (
    Target("tflite", ("net.edgekit/tflite/*.tflite",), ARTIFACT),
    Target("onnx", ("net.edgekit/onnx/*.onnx",), ARTIFACT),
    Target(
        "tfjs",
        ("net.edgekit/tfjs/fp32/*",),
        ("inspect net.edgekit/tfjs/fp32", "inspect net.edgekit/tfjs/fp32 --json --layers"),
    ),
    Target(
        "manifest",
        ("net.edgekit/edgekit.json",),
        ("inspect net.edgekit", "inspect net.edgekit --json", "demo net.edgekit -o site"),
    ),
    Target("golden", ("net.edgekit/golden/*/*.npy",), ("demo net.edgekit -o site",)),
    Target(
        "results",
        ("results.json",),
        (
            *(
                "report results.json",
                "report results.json -o r.html",
                "report results.json -o r.csv",
            ),
            *("report results.json -o r.md", "check results.json --gate size<=1MB"),
            *("compare results.json old.json", "compare old.json results.json --json"),
        ),
    ),
    Target("npz", ("x.npz",), (RUN + "x.npz",)),
    Target("npy", ("x.npy",), (RUN + "x.npy",)),
    Target("images", ("photos/*/*",), (RUN + "photos --resize 8x8",)),
    Target("gates", ("edgekit.toml",), ("check results.json",)),
    Target("keras", ("net.keras",), (f"convert net.keras{CONVERT}",)),
    Target("h5", ("net.h5",), (f"convert net.h5{CONVERT}",)),
    Target("saved-model", ("saved/*", "saved/variables/*"), (f"convert saved{CONVERT}",)),
    Target(
        "tflite-source", ("net.edgekit/tflite/fp32.tflite",), (f"convert {{file}}{CONVERT_TO_OWN}",)
    ),
    Target("onnx-source", ("net.edgekit/onnx/fp32.onnx",), (f"convert {{file}}{CONVERT_TO_OWN}",)),
    Target(
        "tfjs-source", ("net.edgekit/tfjs/fp32/*",), (f"convert net.edgekit/tfjs/fp32{CONVERT}",)
    ),
)

GATES = """[gates]
"size" = "<=1MB"
"tflite/int8 latency.p90" = "<=5ms"
"""

MAKE_MODELS = """
import sys
import keras
from keras import layers
x = keras.Input((8, 8, 1), name="x")
y = layers.Flatten()(layers.Conv2D(4, 3, activation="relu")(x))
model = keras.Model(x, layers.Dense(4, activation="softmax", name="class")(y))
model.save("net.keras")
model.save("net.h5")
model.export("saved", verbose=False)
"""


def make_seeds(folder: Path) -> None:
    """Write a whole file of each format into an empty folder."""
    from PIL import Image
    from results_by_hand import failed_row, results_of, row

    generator = np.random.default_rng(0)
    x = generator.random((16, 8, 8, 1), np.float32)
    np.savez_compressed(folder / "x.npz", x=x, y=np.arange(16) % 4)
    np.save(folder / "x.npy", x)
    for number, suffix in enumerate((".png", ".jpg", ".bmp")):
        place = folder / "photos" / f"class{number}"
        place.mkdir(parents=True)
        pixels = generator.integers(0, 256, (8, 8), np.uint8)
        Image.fromarray(pixels).save(place / f"photo{suffix}")
    subprocess.run([sys.executable, "-c", MAKE_MODELS], cwd=folder, check=True, capture_output=True)
    words = "convert net.keras --calibration x.npz --recipe fp32,int8 -o net.edgekit"
    command = [sys.executable, "-m", "edgekit", *words.split()]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    rows = (row("tflite/fp32"), row("tflite/int8"), failed_row("onnx/fp32"))
    results_of(*rows).save(folder / "results.json")
    shutil.copy(folder / "results.json", folder / "old.json")
    (folder / "edgekit.toml").write_text(GATES)
