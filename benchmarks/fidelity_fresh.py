"""How far the fidelity that `edgekit convert` prints is from the one on 1,000 fresh samples.

    python benchmarks/fidelity_fresh.py [NET …] [--samples 364] [--fresh 1000]

Ten nets, as unlike each other as small nets are, seeded; the norms of those of keras.applications
have their statistics set from samples. Each is converted with calibration samples of a
distribution, and every artifact is run again on fresh samples of the same one. The table has both
SQNRs, and the script fails where they are more than 3 dB apart.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers

import edgekit
from edgekit.bundle.golden import GoldenSamples
from edgekit.convert.check import check
from edgekit_runtimes.devices import open_device

ROOT = Path(__file__).parent.parent
RECIPES = "fp32,fp16,int8-weights,int8-dynamic,int8,int16x8"
WANTED_DB = 3.0
# Where both are so good that float32 itself decides, a difference says nothing.
EXACT_DB = 100.0
SEED = 0

Draw = Callable[[int, np.random.Generator], Any]
Net = Callable[[], tuple[keras.Model, Draw]]


def digits() -> tuple[keras.Model, Draw]:
    """Return the trained net of examples/digits, with its calibration and its test digits."""
    folder = ROOT / "examples" / "digits"
    images = np.load(folder / "digits.npz")
    parts = [images["x"], images["x_test"]]

    def draw(count: int, _: np.random.Generator) -> Any:
        return parts.pop(0)[:count] if parts else None

    return keras.saving.load_model(folder / "digits.keras"), draw


def causal() -> tuple[keras.Model, Draw]:
    """Return a net of dilated causal convolutions, on noise."""
    net = keras.Sequential([keras.Input((64, 4), name="x")])
    for power in range(5):
        net.add(layers.Conv1D(16, 3, padding="causal", dilation_rate=2**power, activation="relu"))
    net.add(layers.Dense(2))
    return net, _noise((64, 4))


def keywords() -> tuple[keras.Model, Draw]:
    """Return a net of depthwise convolutions with norms, on smooth spectra."""
    x = keras.Input((49, 10, 1), name="x")
    y = _norm(layers.Conv2D(32, (10, 4), strides=2, padding="same", use_bias=False)(x))
    for _ in range(3):
        y = _norm(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(y))
        y = _norm(layers.Conv2D(32, 1, use_bias=False)(y))
    y = layers.GlobalAveragePooling2D()(y)
    return keras.Model(x, layers.Dense(12)(y)), _smooth((49, 10, 1))


def residual() -> tuple[keras.Model, Draw]:
    """Return a residual net, on smooth images."""
    x = keras.Input((32, 32, 3), name="x")
    y = _norm(layers.Conv2D(16, 3, padding="same", use_bias=False)(x))
    for width, stride in ((16, 1), (32, 2), (64, 2)):
        z = _norm(layers.Conv2D(width, 3, stride, padding="same", use_bias=False)(y))
        z = layers.BatchNormalization()(layers.Conv2D(width, 3, padding="same", use_bias=False)(z))
        shortcut = layers.Conv2D(width, 1, stride)(y)
        y = layers.ReLU()(layers.Add()([z, shortcut]))
    return keras.Model(x, layers.Dense(10)(layers.GlobalAveragePooling2D()(y))), _smooth(
        (32, 32, 3)
    )


def sensors() -> tuple[keras.Model, Draw]:
    """Return a net of dense layers, on values of a long tail."""
    net = keras.Sequential([keras.Input((24,), name="x"), layers.BatchNormalization()])
    for units in (64, 64, 32):
        net.add(layers.Dense(units, activation="relu"))
    net.add(layers.Dense(3))

    def draw(count: int, generator: np.random.Generator) -> Any:
        return generator.lognormal(0, 0.7, (count, 24)).astype(np.float32)

    return net, draw


def recurrent() -> tuple[keras.Model, Draw]:
    """Return an LSTM behind a convolution, on smooth sequences."""
    x = keras.Input((30, 6), name="x")
    y = layers.LSTM(24)(layers.Conv1D(16, 3, activation="relu")(x))
    return keras.Model(x, layers.Dense(4, activation="softmax")(y)), _smooth((30, 6))


def attention() -> tuple[keras.Model, Draw]:
    """Return two blocks of attention, on noise."""
    x = keras.Input((20, 16), name="x")
    y = layers.Dense(32)(x)
    for _ in range(2):
        y = layers.LayerNormalization()(y + layers.MultiHeadAttention(4, 8)(y, y))
        y = layers.LayerNormalization()(y + layers.Dense(32)(layers.Dense(64, "gelu")(y)))
    return keras.Model(x, layers.Dense(5)(layers.GlobalAveragePooling1D()(y))), _noise((20, 16))


def segments() -> tuple[keras.Model, Draw]:
    """Return a small U-Net, on smooth images."""
    x = keras.Input((32, 32, 3), name="x")
    one = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    two = layers.Conv2D(16, 3, padding="same", activation="relu")(layers.MaxPooling2D()(one))
    low = layers.Conv2D(32, 3, padding="same", activation="relu")(layers.MaxPooling2D()(two))
    up = layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu")(low)
    up = layers.Conv2D(16, 3, padding="same", activation="relu")(layers.Concatenate()([up, two]))
    up = layers.Concatenate()([layers.UpSampling2D()(up), one])
    return keras.Model(x, layers.Conv2D(2, 1)(up)), _smooth((32, 32, 3))


def mobile_v2() -> tuple[keras.Model, Draw]:
    """Return MobileNetV2 at 64 pixels, on smooth images."""
    net = keras.applications.MobileNetV2((64, 64, 3), alpha=0.35, weights=None, classes=10)
    return net, _smooth((64, 64, 3))


def mobile_v3() -> tuple[keras.Model, Draw]:
    """Return MobileNetV3Small at 64 pixels, on smooth images."""
    net = keras.applications.MobileNetV3Small(
        (64, 64, 3), weights=None, classes=10, include_preprocessing=False
    )
    return net, _smooth((64, 64, 3))


NETS: tuple[Net, ...] = (
    *(digits, causal, keywords, residual, sensors),
    *(recurrent, attention, segments, mobile_v2, mobile_v3),
)


def _norm(x: Any) -> Any:
    return layers.ReLU()(layers.BatchNormalization()(x))


def _noise(shape: tuple[int, ...]) -> Draw:
    return lambda count, generator: generator.standard_normal((count, *shape)).astype(np.float32)


def _smooth(shape: tuple[int, ...]) -> Draw:
    """Return images that are alike nearby and unlike in brightness and contrast."""

    def draw(count: int, generator: np.random.Generator) -> Any:
        values = generator.standard_normal((count, *shape))
        for axis in range(1, values.ndim - 1):
            for _ in range(3):
                values = (values + np.roll(values, 1, axis) + np.roll(values, -1, axis)) / 2
        plain = (count, *(1 for _ in shape))
        contrast = generator.uniform(0.2, 1.0, plain) / values.std()
        return (values * contrast + generator.normal(0, 0.3, plain)).astype(np.float32)

    return draw


def set_statistics(model: keras.Model, samples: Any) -> None:
    """Set the norms' statistics from samples: untouched ones give the same for every input."""
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.0
    model(samples, training=True)


def compare(
    net: Net, asked: argparse.Namespace, folder: Path
) -> Iterator[tuple[str, float, float]]:
    """Yield each artifact of a net with its SQNR as `convert` says it and on fresh samples."""
    keras.utils.set_random_seed(SEED)
    model, draw = net()
    if net is not digits:
        set_statistics(model, draw(64, np.random.default_rng(SEED + 1)))
    model.save(folder / "net.keras")
    bundle = edgekit.convert(
        folder / "net.keras",
        folder / "net.edgekit",
        to=asked.to,
        recipe=asked.recipe,
        calibration={"x": draw(asked.samples, np.random.default_rng(SEED + 2))},
    )
    others = draw(asked.fresh, np.random.default_rng(SEED + 3))
    np.save(folder / "fresh.npy", others)
    (name,) = (spec.name for spec in bundle.manifest.inputs)
    (output,) = (spec.name for spec in bundle.manifest.outputs)
    golden = GoldenSamples(
        bundle.manifest.inputs,
        {name: folder / "fresh.npy"},
        {output: model.predict(others, batch_size=50, verbose=0)},
        bundle.manifest.preprocessing,
    )
    with open_device("host") as device:
        for row in bundle.artifacts:
            if row.fidelity is not None:
                path = bundle.artifact_path(row)
                found = check(path, row.format, row.engine_options, golden, device).fidelity
                if found is not None:
                    yield row.id, row.fidelity.sqnr_db, found.sqnr_db


def main() -> None:
    """Print both figures for every artifact of every net, and the largest difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [net.__name__ for net in NETS]
    parser.add_argument("nets", nargs="*", metavar="NET", help=", ".join(names))
    parser.add_argument("--samples", type=int, default=364)
    parser.add_argument("--fresh", type=int, default=1000)
    parser.add_argument("--to", default="tflite,tfjs,onnx")
    parser.add_argument("--recipe", default=RECIPES)
    asked = parser.parse_args()
    wanted = asked.nets or names
    differences: list[tuple[float, str]] = []
    print(f"{'':<32}{'convert':>9}{'fresh':>9}{'':>4}difference, dB")
    for net in NETS:
        if net.__name__ not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            rows = compare(net, asked, Path(folder))
            for row, said, fresh in rows:
                is_exact = min(said, fresh) >= EXACT_DB
                difference = 0.0 if is_exact else said - fresh
                differences.append((abs(difference), f"{net.__name__} {row}"))
                mark = "  <--" if abs(difference) > WANTED_DB else ""
                name = f"{net.__name__} {row}"
                print(f"{name:<32}{said:>9.1f}{fresh:>9.1f}{difference:>+9.1f}{mark}", flush=True)
    if not differences:
        raise SystemExit(f"No such net: {' '.join(wanted)}. There are {', '.join(names)}.")
    largest, where = max(differences)
    off = sum(difference > WANTED_DB for difference, _ in differences)
    print(
        f"{off} of {len(differences)} figures are more than {WANTED_DB:.0f} dB off; "
        f"the largest difference is {largest:.1f} dB ({where})"
    )
    raise SystemExit(1 if off else 0)


if __name__ == "__main__":
    main()
