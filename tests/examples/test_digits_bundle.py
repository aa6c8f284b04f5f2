"""The whole recipe table on a trained net: what is made, how small, how near, how right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import DIGITS

from edgekit.bundle.bundle import Bundle, load_bundle
from edgekit.data import DataOptions
from edgekit.run.artifact import run_artifact

# Recipe -> format -> largest size as a share of the format's fp32 artifact. Conv kernels stay
# float in ONNX's dynamic recipes, and this net has one dense layer.
SIZES = {
    "fp32": {"tflite": 1.0, "onnx": 1.0, "tfjs": 1.0},
    "fp16": {"tflite": 0.55, "onnx": 0.55, "tfjs": 0.55},
    "int8-weights": {"tflite": 0.37, "onnx": 0.32, "tfjs": 0.34},
    "int8-dynamic": {"tflite": 0.37, "onnx": 1.0},
    "int8": {"tflite": 0.42, "onnx": 0.35},
    "int16x8": {"tflite": 0.45},
    "int4-dynamic": {"tflite": 0.3, "onnx": 1.0},
}
# Recipe -> least SQNR in dB of the logits, and least top-1 agreement on 50 golden digits.
FIDELITY = {
    "fp32": (100, 1.0),
    "fp16": (55, 1.0),
    "int8-weights": (28, 1.0),
    "int8-dynamic": (28, 1.0),
    "int8": (25, 0.98),
    "int16x8": (25, 0.98),
    "int4-dynamic": (10, 0.95),
}
# A third of the weights are zero; what brotli makes of it (8-bit codes of the smallest weights
# are alike already), and what is left of the agreement.
PRUNED_WIRE_SHARES = {"fp32": 0.8, "int8-weights": 0.9}
PRUNED_SQNR_DB = 8
POINT = 0.01


@pytest.fixture(scope="module")
def bundle(digits_bundle: Path) -> Bundle:
    return load_bundle(digits_bundle)


@pytest.fixture(scope="module")
def rows(bundle: Bundle) -> dict[str, Any]:
    return {row.id: row for row in bundle.artifacts}


CELLS = [(recipe, name) for recipe, formats in SIZES.items() for name in formats]


@pytest.mark.parametrize(("recipe", "name"), CELLS)
def test_each_artifact_is_as_small_and_as_near_as_the_table_says(
    rows: dict[str, Any], recipe: str, name: str
) -> None:
    row = rows[f"{name}/{recipe}"]
    assert row.status == "ok", row.reason
    assert row.bytes <= SIZES[recipe][name] * rows[f"{name}/fp32"].bytes
    sqnr_db, top1 = FIDELITY[recipe]
    assert row.fidelity.sqnr_db >= sqnr_db
    assert row.fidelity.top1 >= top1


def test_what_a_format_does_not_have_is_a_row_with_its_reason(rows: dict[str, Any]) -> None:
    missing = {name for name, row in rows.items() if row.status == "not available"}
    every = {f"{name}/{recipe}" for recipe in SIZES for name in ("tflite", "onnx", "tfjs")}
    assert missing == every - {f"{name}/{recipe}" for recipe, name in CELLS}
    assert all(rows[name].reason for name in missing)


@pytest.mark.parametrize("name", ["tflite", "onnx", "tfjs"])
@pytest.mark.parametrize("recipe", ["fp32", "int8-weights"])
def test_pruning_makes_the_download_smaller_and_not_the_file(
    rows: dict[str, Any], name: str, recipe: str
) -> None:
    whole, pruned = rows[f"{name}/{recipe}"], rows[f"{name}/{recipe}+prune33"]
    assert pruned.wire.brotli <= PRUNED_WIRE_SHARES[recipe] * whole.wire.brotli
    assert pruned.bytes == pytest.approx(whole.bytes, rel=0.01)
    assert pruned.fidelity.sqnr_db >= PRUNED_SQNR_DB


@pytest.mark.parametrize("path", ["tflite/int8.tflite", "onnx/int8.onnx"])
def test_int8_stays_within_a_point_of_the_original_on_held_back_digits(
    bundle: Bundle, path: str
) -> None:
    import keras

    with np.load(DIGITS / "digits.npz") as arrays:
        images, labels = arrays["x_test"], arrays["y_test"]
    model = keras.saving.load_model(DIGITS / "digits.keras")
    original = model.predict(images.astype("float32"), verbose=0).argmax(axis=1) == labels
    outputs = run_artifact(
        Path(bundle.folder / path), str(DIGITS / "digits.npz"), DataOptions(), None
    )
    artifact = outputs.arrays["digit"].argmax(axis=1) == labels
    assert artifact.mean() >= original.mean() - POINT
