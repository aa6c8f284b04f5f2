"""Print what the Python side computes where the page must compute the same.

python web/test/make_vectors.py > web/test/vectors.json
"""

from __future__ import annotations

import base64
import io
import itertools
import json
from typing import Any

import numpy as np

from edgekit_runtimes.devices.browser.backends import BACKENDS
from edgekit_runtimes.errors import DataError
from edgekit_runtimes.formats import FORMATS
from edgekit_runtimes.protocol.job import Plan
from edgekit_runtimes.tensors import Preprocessing, TensorSpec, cast_losslessly, encode_array
from edgekit_runtimes.tensors import is_batched as is_batched_of
from edgekit_runtimes.timing import plan_blocks, round_order
from edgekit_runtimes.worker import same_outputs

DTYPES = ["float32", "float64", "bool"]
DTYPES += [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]

PREPROCESSINGS = [
    Preprocessing(),
    Preprocessing(scale=1 / 255),
    Preprocessing(scale=1 / 127.5, mean=(1.0,)),
    Preprocessing(scale=1 / 255, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
]

PLANS = [
    Plan(),
    Plan(rounds=0, min_runs=5),
    Plan(block_s=0.05, min_runs=100),
    Plan(block_s=0.005, block_runs=3, min_runs=13, min_s=0.3, max_s=12.0),
    Plan(min_runs=100, max_s=1.0),
]
WARMUPS = [
    {"a": [3_000_000, 2_000_000]},
    {"a": [400_000_000]},
    {"a": [0, 5]},
    {"a": [70_000], "b": [40_000]},
    {"a": [1_000_000, 1_100_000], "b": [20_000_000]},
    {"a": [9_000_000_000], "b": [1_500_000_000]},
]

HALVES = np.array([0, -0.0, 1 / 3, -65504, 6e-8, np.inf, -np.inf, np.nan], np.float16)

OUTPUTS = [[1.0, -2.0], [1.001, -2.0], [1.1, -2.0], [0.0, 0.0], [float("nan"), -2.0]]
OUTPUTS += [[float("inf"), -2.0], [float("-inf"), -2.0]]


def npy(array: Any) -> str:
    """Return a .npy file in base64."""
    file = io.BytesIO()
    np.save(file, array)
    return base64.b64encode(file.getvalue()).decode()


def cast(array: Any, dtype: str) -> dict[str, Any]:
    """Return the encoded cast, or the message of its error."""
    try:
        with np.errstate(invalid="ignore"):
            return {"array": encode_array(cast_losslessly(array, dtype, "x"))}
    except DataError as error:
        return {"error": str(error)}


def vectors() -> dict[str, Any]:
    """Return all vectors, ready for JSON."""
    values = np.array([[0, 1, 0], [1, 1, 0]])
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(1, 2, 3, 3) * 14
    casts = [
        *itertools.product([values, values * 300], DTYPES, DTYPES),
        *itertools.product([-values], ["int8", "int64", "float32"], DTYPES),
    ]
    return {
        "npy": [
            {"file": npy(values.astype(dtype)), "array": encode_array(values.astype(dtype))}
            for dtype in DTYPES
        ]
        + [{"file": npy(HALVES), "array": encode_array(HALVES.astype("float32"))}],
        "preprocess": [
            {
                "preprocessing": preprocessing.to_json(),
                "sample": encode_array(pixels),
                "array": encode_array(preprocessing.apply(pixels, "float32")),
            }
            for preprocessing in PREPROCESSINGS
        ],
        "cast": [
            {
                "sample": encode_array(array.astype(dtype)),
                "dtype": to,
                **cast(array.astype(dtype), to),
            }
            for array, dtype, to in casts
        ],
        "round_order": [
            {"models": models, "plan": vars(plan), "order": round_order(models, plan)}
            for models in (["a"], ["a", "b", "c"])
            for plan in PLANS[:2]
        ],
        "plan_blocks": [
            {"plan": vars(plan), "warmups": warmups, "rounds": rounds, "runs": runs}
            for plan in PLANS
            for warmups in WARMUPS
            for rounds, runs in [plan_blocks(plan, warmups)]
        ],
        "is_batched": [
            {
                "shapes": shapes,
                "batched": is_batched_of([TensorSpec("x", s, "float32") for s in shapes]),
            }
            for shapes in ([(None, 2)], [(1, 2)], [(3, 2)], [()], [(1, 2), (4,)])
        ],
        "same_outputs": [
            {
                "before": encode_array(np.array(before, np.float32)),
                "after": encode_array(np.array(after, np.float32)),
                "same": same_outputs(
                    {"y": np.array(before, np.float32)}, {"y": np.array(after, np.float32)}
                ),
            }
            for before in OUTPUTS
            for after in OUTPUTS
        ],
        "backends": dict(BACKENDS),
        "page_engines": {
            engine.word: {"label": engine.title, "format": form, "backends": engine.backends}
            for form, kind in FORMATS.items()
            for engine in kind.page_engines
        },
    }


if __name__ == "__main__":
    print(json.dumps(vectors(), separators=(",", ":")))
