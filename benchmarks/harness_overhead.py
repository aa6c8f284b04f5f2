"""What edgekit's measuring loop adds to a bare loop around the interpreter, at about 1 ms per run.

    python benchmarks/harness_overhead.py [--pairs 500]

Both loops run the same interpreter in the same process, in turns (bare, edgekit, edgekit, bare).
The bare loop invokes the interpreter and reads the output; its time is the whole block by the
number of runs, with no clock in between. Two figures, each the median over all pairs of blocks with
its 95 % interval:

    loop      the whole of edgekit's block against the bare one: clock, list and call included
    reported  the mean of the samples that edgekit reports against the bare run

Blocks are short (20 ms), so that the machine is the same for both of a pair. Needs only edgekit.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgekit_runtimes.engines import litert
from edgekit_runtimes.timing import NS, timed_block

RUN_S = 0.001
BLOCK_S = 0.02
SHAPE = (1, 14, 14, 32)
TRIAL_LAYERS = 8
TRIALS = 4


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=500, help="blocks of each loop")
    pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dense.tflite"
        layers = write_model_of_a_run(path)
        model = litert.load(path, {})
        bound = model.bind(sample())
        bare = bare_loop(model)
        run_s = warm_run_s(bare)
        runs = round(BLOCK_S / run_s)
        loop, reported = measure(bare, bound, runs, pairs)
    run = f"{run_s * 1e3:.3f} ms per run, {runs} runs per block"
    print(f"{layers} convolutions, {run}, {pairs} pairs")
    for name, ratios in (("loop", loop), ("reported", reported)):
        low, high = median_interval(ratios)
        middle = statistics.median(ratios)
        print(f"{name:9} {middle - 1:+.3%}   (95 % interval {low - 1:+.3%} to {high - 1:+.3%})")


def measure(
    bare: Callable[[int], float], bound: Callable[[], object], runs: int, pairs: int
) -> tuple[list[float], list[float]]:
    """Return the ratios edgekit : bare of each pair of blocks, for the loop and the samples."""
    loop, reported = [], []
    for pair in range(pairs):
        for kind in ("bare", "edgekit") if pair % 2 else ("edgekit", "bare"):
            if kind == "bare":
                bare_s = bare(runs)
            else:
                start = time.perf_counter_ns()
                samples = timed_block(bound, runs)
                loop_s = (time.perf_counter_ns() - start) / NS
        loop.append(loop_s / bare_s)
        reported.append(sum(samples) / NS / bare_s)
    return loop, reported


def median_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of the median, by order statistics."""
    ordered = sorted(values)
    reach = round(1.96 * len(ordered) ** 0.5 / 2)
    middle = len(ordered) // 2
    return ordered[max(0, middle - reach)], ordered[min(len(ordered) - 1, middle + reach)]


def bare_loop(model: Any) -> Callable[[int], float]:
    """Return a loop that takes the seconds of a number of runs, on inputs that are already set.

    It shares the model's interpreter: of two interpreters the one whose weights lie better in the
    caches is faster by more than what is measured here.
    """
    interpreter = model._interpreter
    output = interpreter.get_output_details()[0]["index"]

    def loop(runs: int) -> float:
        start = time.perf_counter_ns()
        for _ in range(runs):
            interpreter.invoke()
            interpreter.get_tensor(output)
        return (time.perf_counter_ns() - start) / NS

    return loop


def warm_run_s(bare: Callable[[int], float]) -> float:
    """Return the seconds of one run, once warm and undisturbed."""
    bare(200)
    return min(bare(10) / 10 for _ in range(50))


def sample() -> dict[str, Any]:
    """Return the input of the model."""
    return {"x": np.random.default_rng(1).standard_normal(SHAPE, np.float32)}


def write_model_of_a_run(path: Path) -> int:
    """Write a model that takes about RUN_S on this machine and return its number of layers."""
    layers = TRIAL_LAYERS
    for _ in range(TRIALS):
        write_model(path, layers)
        model = litert.load(path, {})
        model.bind(sample())
        layers = max(1, round(layers * RUN_S / warm_run_s(bare_loop(model))))
    write_model(path, layers)
    return layers


def write_model(path: Path, layers: int) -> None:
    """Write a TFLite file of equal 3 x 3 convolutions, SHAPE in and out."""
    channels = SHAPE[-1]
    graph = schema.SubGraphT()
    graph.tensors = [
        tensor("weights", [channels, 3, 3, channels], 1),
        tensor("bias", [channels], 2),
        tensor("x", SHAPE, 0),
        *(tensor(f"hidden{number}", SHAPE, 0) for number in range(layers - 1)),
        tensor("y", SHAPE, 0),
    ]
    graph.inputs, graph.outputs = [2], [layers + 2]
    graph.operators = [convolution(number + 2) for number in range(layers)]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CONV_2D
    code.version = 1
    weights = np.random.default_rng(0).standard_normal((channels, 9 * channels))
    model = schema.ModelT()
    model.version = 3
    model.subgraphs, model.operatorCodes = [graph], [code]
    # Divided so that the numbers neither grow nor die out from layer to layer.
    scaled = weights / (9 * channels) ** 0.5
    model.buffers = [schema.BufferT(), buffer(scaled), buffer(np.zeros(channels))]
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))


def tensor(name: str, shape: Sequence[int], buffer_index: int) -> Any:
    """Return a float tensor; buffer 0 means that it is computed."""
    result = schema.TensorT()
    result.name, result.shape, result.buffer = name, list(shape), buffer_index
    result.type = schema.TensorType.FLOAT32
    return result


def buffer(values: Any) -> Any:
    """Return a buffer of float32."""
    result = schema.BufferT()
    result.data = np.frombuffer(values.astype(np.float32).tobytes(), np.uint8)
    return result


def convolution(source: int) -> Any:
    """Return a convolution of tensor `source` into the next one."""
    options = schema.Conv2DOptionsT()
    options.padding = schema.Padding.SAME
    options.strideH = options.strideW = 1
    result = schema.OperatorT()
    result.inputs, result.outputs = [source, 0, 1], [source + 1]
    result.builtinOptionsType = schema.BuiltinOptions.Conv2DOptions
    result.builtinOptions = options
    return result


if __name__ == "__main__":
    main()
