"""Which operators an engine runs badly in int8: the table behind SLOW_IN_INT8.

    python benchmarks/int8_operators.py [NAME …] [--rounds 60]

Each operator stands between two convolutions of an int8 TFLite file, once in int8 and once in
float, with all else the same. Both files are run in turns by LiteRT with one thread. The table has
the ratio of their times and into how many pieces XNNPACK's delegate cut each of them, and the
script fails where an operator that is at least LIMIT times slower in int8 is not in SLOW_IN_INT8,
or one that is not slower is.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from keras import layers, ops
from litert_quantizer import recipe

from edgekit_converters.calibration import Calibration
from edgekit_converters.sources.keras.load import from_model
from edgekit_converters.tflite.export import prepare
from edgekit_converters.tflite.quantize import measure_ranges, quantize
from edgekit_converters.tflite.simulated import SimulatedTflite
from edgekit_converters.tflite.static import ENGINE, SLOW_IN_INT8

SHAPE = (56, 56, 32)
SAMPLES = 8
# Less is the noise of a machine, and what the changes between integers and floats cost.
LIMIT = 1.3

OPERATORS: dict[str, Callable[[Any], Any]] = {
    "HARD_SWISH": layers.Activation("hard_swish"),
    "LOGISTIC": layers.Activation("sigmoid"),
    "TANH": layers.Activation("tanh"),
    "ELU": layers.Activation("elu"),
    "LEAKY_RELU": layers.LeakyReLU(0.1),
    "GELU": lambda x: ops.gelu(x, approximate=True),
    "PRELU": layers.PReLU(shared_axes=[1, 2]),
    "SOFTMAX": layers.Softmax(),
    "MUL": lambda x: x * ops.roll(x, 1, axis=-1),
    "ADD": lambda x: x + ops.flip(x, axis=-1),
    "MAXIMUM": lambda x: ops.maximum(x, ops.flip(x, axis=-1)),
    "AVERAGE_POOL_2D": layers.AveragePooling2D(3, 1, padding="same"),
    "MAX_POOL_2D": layers.MaxPooling2D(3, 1, padding="same"),
    "MEAN": lambda x: ops.mean(x, axis=(1, 2), keepdims=True),
    "PAD": layers.ZeroPadding2D(1),
    "CONCATENATION": lambda x: ops.concatenate([x, x], axis=-1),
    "RESIZE_BILINEAR": layers.UpSampling2D(interpolation="bilinear"),
    "RESIZE_NEAREST_NEIGHBOR": lambda x: ops.image.resize(x, (112, 112), "nearest"),
    "TRANSPOSE_CONV": layers.Conv2DTranspose(32, 3, strides=2, padding="same"),
    "DEPTHWISE_CONV_2D": layers.DepthwiseConv2D(3, padding="same"),
    "TRANSPOSE": layers.Permute((2, 1, 3)),
}


def float_file(make: Callable[[Any], Any]) -> bytes:
    """Return the float file of a net with an operator between two convolutions."""
    keras.utils.set_random_seed(0)
    x = keras.Input(SHAPE, name="x")
    y = make(layers.Conv2D(SHAPE[-1], 1)(x))
    return prepare(from_model(keras.Model(x, layers.Conv2D(8, 1)(y))).graph)


def opened(content: bytes, sample: Any) -> tuple[Any, int]:
    """Return an interpreter that has run once, and its number of delegated pieces."""
    interpreter: Any = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], sample)
    interpreter.invoke()
    operators = interpreter._get_ops_details()
    return interpreter, sum(one["op_name"] == "DELEGATE" for one in operators)


def compare(kind: str, make: Callable[[Any], Any], rounds: int) -> tuple[float, int, int] | None:
    """Return int8's time over float's, and the pieces of both; None where there is no such one."""
    images = np.random.default_rng(0).standard_normal((SAMPLES, 1, *SHAPE)).astype(np.float32)
    model, steps = float_file(make), recipe.static_wi8_ai8()
    ranges = measure_ranges(model, Calibration(lambda: ({"x": one} for one in images)))
    whole = quantize(model, steps, ranges)
    net = SimulatedTflite(model, whole).net
    spared = [one for one in net.operators if one.kind == kind]
    if not spared:
        return None
    files = whole, quantize(model, steps, ranges, floats=spared)
    (first, pieces), (second, others) = (opened(content, images[0]) for content in files)
    ratios = []
    for _ in range(rounds):
        times = []
        for interpreter in (first, second):
            start = time.perf_counter()
            interpreter.invoke()
            times.append(time.perf_counter() - start)
        ratios.append(times[0] / times[1])
    return statistics.median(ratios), pieces, others


def main() -> None:
    """Print the table, and fail where SLOW_IN_INT8 says something else."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(OPERATORS))
    parser.add_argument("--rounds", type=int, default=60)
    asked = parser.parse_args()
    wrong = []
    print(f"{'operator':<26}{'int8 / float':>14}{'pieces: int8':>14}{'float':>7}")
    for kind in asked.names or OPERATORS:
        found = compare(kind, OPERATORS[kind], asked.rounds)
        if found is None:
            print(f"{kind:<26}{'written otherwise':>14}")
            continue
        ratio, pieces, others = found
        is_known = kind in SLOW_IN_INT8[ENGINE]
        if is_known != (ratio >= LIMIT):
            wrong.append(kind)
        mark = "  <--" if ratio >= LIMIT else ""
        print(f"{kind:<26}{ratio:>14.2f}{pieces:>14}{others:>7}{mark}", flush=True)
    if wrong:
        raise SystemExit(f"SLOW_IN_INT8 of {ENGINE} is not so: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
