"""A bundle whose model exists in no file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from edgekit.bundle.manifest import ArtifactRecord, Golden, Manifest, signature_of
from edgekit_runtimes.tensors import Arrays, Preprocessing, TensorSpec

HASH = "0" * 64


def a_manifest(**changes: Any) -> Manifest:
    """Return a manifest of a model that exists in no file."""
    preprocessing = Preprocessing(scale=1 / 255, mean=(0.5,), resize=(8, 6))
    manifest = Manifest(
        name="net",
        source={"path": "../net.keras", "kind": "keras", "sha256": HASH, "signature": None},
        signature=signature_of(
            [TensorSpec("image", (None, 8, 6, 3), "float32")],
            [TensorSpec("class", (None, 4), "float32")],
        ),
        preprocessing=preprocessing,
        golden=Golden("calibration", 2, HASH),
        settings={
            **{"source": HASH, "signature": None, "input_shapes": {"image": [1, 8, 6, 3]}},
            **{"io": "float", "classes": [], "calibration": HASH},
            "trust": {"unsafe": False, "imports": ["my_layers"]},
            "preprocessing": preprocessing.to_json(),
        },
        tools={"edgekit": "0"},
        notes=("a note",),
        artifacts=(
            ArtifactRecord("tfjs/int8", "tfjs", "int8", "not available", "it has no int8"),
            ArtifactRecord("tflite/int16x8", "tflite", "int16x8", "failed", "it does not load"),
        ),
    )
    return replace(manifest, **changes)


def arrays() -> tuple[Arrays, Arrays]:
    """Return golden inputs and outputs for `a_manifest`."""
    return {"image": np.zeros((2, 8, 6, 3), np.uint8)}, {"class": np.zeros((2, 4), np.float32)}
