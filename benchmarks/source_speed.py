"""What PyTorch's MobileNetV2 costs against the Keras one, and against other converters.

    python benchmarks/source_speed.py [--rounds 3]

Times of `edgekit convert` with its default recipes, in turns; operators and latency of the fp32
.tflite files (LiteRT, one thread, rounds in turns). litert-torch and onnx2tf are measured where
they are installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
TARGET_TIME, TARGET_LATENCY = 1.5, 1.02
RUNS = 24

# Widening, channels, blocks, stride: table 2 of https://arxiv.org/abs/1801.04381
NET = """
import torch
from torch import nn

ROWS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
        (6, 320, 1, 1))

def conv(inside, outside, size=1, stride=1, groups=1):
    layer = nn.Conv2d(inside, outside, size, stride, size // 2, groups=groups, bias=False)
    return [layer, nn.BatchNorm2d(outside)]

class Block(nn.Module):
    def __init__(self, inside, outside, wider, stride):
        super().__init__()
        wide = inside * wider
        first = [*conv(inside, wide), nn.ReLU6()] if wider > 1 else []
        self.layers = nn.Sequential(*first, *conv(wide, wide, 3, stride, wide), nn.ReLU6(),
                                    *conv(wide, outside))
        self.keeps = stride == 1 and inside == outside

    def forward(self, x):
        return x + self.layers(x) if self.keeps else self.layers(x)

def make():
    torch.manual_seed(20)
    layers, inside = [*conv(3, 32, 3, 2), nn.ReLU6()], 32
    for wider, outside, blocks, stride in ROWS:
        for number in range(blocks):
            layers.append(Block(inside, outside, wider, 1 if number else stride))
            inside = outside
    layers += [*conv(320, 1280), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
               nn.Linear(1280, 1000)]
    return nn.Sequential(*layers).eval()
"""

OTHERS = {
    "litert_torch": """
import litert_torch, torch, torch_mbv2
example = (torch.zeros(1, 3, 224, 224),)
litert_torch.convert(torch_mbv2.make(), example).export("litert_torch.tflite")
""",
    # onnx2tf writes over the file that it is given: it gets one of its own.
    "onnx2tf": """
import onnx2tf, pathlib, shutil, torch, torch_mbv2
torch.onnx.export(torch_mbv2.make(), (torch.zeros(1, 3, 224, 224),), "own.onnx", dynamo=True)
onnx2tf.convert("own.onnx", output_folder_path="own", non_verbose=True)
shutil.copy(next(pathlib.Path("own").glob("*float32.tflite")), "onnx2tf.tflite")
""",
}


def convert(work: Path, words: list[str], output: Path) -> float:
    """Return the seconds of one `edgekit convert`."""
    before = time.perf_counter()
    command = [sys.executable, "-m", "edgekit", "convert", *words, "-o", str(output)]
    subprocess.run(command, cwd=work, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - before


def opened(path: Path) -> tuple[Any, int]:
    """Return what runs a .tflite file, and how many operators it has."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    plain = Interpreter(str(path), experimental_preserve_all_tensors=True)
    operators = len(plain._get_ops_details())
    entry = interpreter.get_input_details()[0]
    interpreter.set_tensor(entry["index"], np.zeros(entry["shape"], entry["dtype"]))
    return interpreter, operators


def seconds_of(interpreter: Any) -> float:
    """Return the seconds of one run."""
    before = time.perf_counter()
    interpreter.invoke()
    return time.perf_counter() - before


def compare(files: dict[str, Path]) -> None:
    """Print operators, bytes and the ratio of latencies to the first file."""
    models = {name: opened(path) for name, path in files.items()}
    times: dict[str, list[float]] = {name: [] for name in files}
    for number in range(RUNS):
        # Forwards and back, so that a machine that slows down slows all alike.
        for name in list(models)[:: -1 if number % 2 else 1]:
            times[name].append(seconds_of(models[name][0]))
    first = next(iter(files))
    for name, path in files.items():
        ratio = statistics.median(
            own / other for own, other in zip(times[first], times[name], strict=True)
        )
        print(
            f"{name:<14} {models[name][1]:5} operators {path.stat().st_size:11,} bytes  "
            f"{1e3 * statistics.median(times[name]):7.2f} ms  {first} / {name} {ratio:.3f}"
        )


def main() -> None:
    """Convert both in turns, then compare the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "torch_mbv2.py").write_text(NET)
        subprocess.run([sys.executable, str(ROOT / "examples/mbv2/make.py"), folder], check=True)
        ratios = []
        for number in range(rounds):
            ours = ["torch_mbv2:make", "--input-shape", "x=1,3,224,224"]
            torch_seconds = convert(work, ours, work / f"torch-{number}")
            keras_seconds = convert(work, ["mbv2.keras"], work / f"keras-{number}")
            ratios.append(torch_seconds / keras_seconds)
            print(f"round {number + 1}: PyTorch {torch_seconds:.1f} s, Keras {keras_seconds:.1f} s")
        print(f"PyTorch / Keras {statistics.median(ratios):.2f} (target {TARGET_TIME})")
        files = {name: work / f"{name}-0" / "tflite" / "fp32.tflite" for name in ("torch", "keras")}
        for name, script in OTHERS.items():
            if importlib.util.find_spec(name) is None:
                print(f"{name} is not installed: not compared")
                continue
            subprocess.run([sys.executable, "-c", script], cwd=work, check=True)
            files[name] = work / f"{name}.tflite"
        compare(files)
        print(f"targets: at most {TARGET_LATENCY} of litert_torch, 1 of onnx2tf")


if __name__ == "__main__":
    main()
