"""Make mbv2: MobileNetV2 with seeded random weights, the speed model of edgekit's figures.

    python examples/mbv2/make.py [FOLDER]      writes mbv2.keras and mbv2.npz

Random weights cost as much to run as trained ones. The batch-norm statistics are set from random
inputs: with untouched ones every output is the same, and agreement between two models is empty.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

SIZE = 224
SEED = 20
CALIBRATION_SAMPLES = 16


def samples(count: int, seed: int = SEED) -> Any:
    """Return `count` random images, float32 [count, 224, 224, 3] in [-1, 1].

    Blurred noise of a few frequencies: white noise averages out and looks alike to a deep net.
    """
    generator = np.random.default_rng(seed)
    images = np.zeros((count, SIZE, SIZE, 3), np.float32)
    for cells in (2, 4, 8, 16, 32, 56):
        coarse = generator.uniform(-1, 1, (count, cells, cells, 3)).astype(np.float32)
        repeat = SIZE // cells
        images += coarse.repeat(repeat, axis=1).repeat(repeat, axis=2)
    return images / np.abs(images).max()


def build() -> Any:
    """Return the model, ready to be saved or converted."""
    import keras

    keras.utils.set_random_seed(SEED)
    model = keras.applications.MobileNetV2(
        input_shape=(SIZE, SIZE, 3), weights=None, classifier_activation=None
    )
    images = samples(32, seed=SEED + 1)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(images, training=True)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.999
    return model


def main() -> None:
    """Write the model and its calibration data into the folder of the command line, or here."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    build().save(folder / "mbv2.keras")
    np.savez_compressed(folder / "mbv2.npz", x=samples(CALIBRATION_SAMPLES))
    print(f"wrote {folder / 'mbv2.keras'} and {folder / 'mbv2.npz'}")


if __name__ == "__main__":
    main()
