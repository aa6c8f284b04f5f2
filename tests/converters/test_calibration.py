"""The adapters, with the quantizers that they are made for."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from litert_quantizer import quantizer, recipe
from litert_quantizer.calibrator import CalibrationMode

from edgekit_converters.calibration import (
    CALIBRATION_SAMPLES,
    Calibration,
    for_litert,
)
from edgekit_converters.graph.frozen import SIGNATURE_KEY

SAMPLE_BYTES = 28 * 28 * 4


def samples(count: int) -> Iterator[dict[str, Any]]:
    """Yield images of noise whose brightness grows, as floats in 0..255."""
    generator = np.random.default_rng(11)
    for number in range(count):
        image = generator.uniform(0, 155 + number % 100, (1, 28, 28, 1))
        yield {"image": image.astype(np.float32)}


def calibration(count: int = 24) -> Calibration:
    return Calibration(lambda: samples(count))


def ranges_of(model: bytes, data: Any) -> dict[str, Any]:
    worker = quantizer.Quantizer(bytearray(model), recipe.static_wi8_ai8())
    found: dict[str, Any] = worker.calibrate(
        data, num_threads=1, mode=CalibrationMode.CALIBRATION_PROFILER_BASED
    )
    return found


def sqnr_db(expected: Any, actual: Any) -> float:
    return float(10 * np.log10((expected**2).sum() / ((expected - actual) ** 2).sum()))


@pytest.fixture(scope="module")
def float_model(tflite_files: Callable[..., Path]) -> bytes:
    return tflite_files("conv_net").read_bytes()


def test_no_more_samples_are_used_than_ranges_need() -> None:
    assert sum(1 for _ in calibration(CALIBRATION_SAMPLES + 5)) == CALIBRATION_SAMPLES
    assert sum(1 for _ in calibration(3)) == 3


def test_litert_finds_the_ranges_that_it_finds_in_a_list(float_model: bytes) -> None:
    streamed = ranges_of(float_model, for_litert(calibration(), SIGNATURE_KEY))
    listed = ranges_of(float_model, {SIGNATURE_KEY: list(samples(24))})
    assert streamed
    assert streamed.keys() == listed.keys()
    for name, found in listed.items():
        assert np.array_equal(streamed[name]["min"], found["min"])
        assert np.array_equal(streamed[name]["max"], found["max"])


def test_litert_holds_no_more_for_ten_times_the_samples(float_model: bytes) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            ranges_of(float_model, for_litert(calibration(count), SIGNATURE_KEY))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(3)
    assert peak(300) < peak(30) + 270 * SAMPLE_BYTES / 10


def test_litert_quantizes_with_the_ranges(float_model: bytes, graphs: Callable[[str], Any]) -> None:
    worker = quantizer.Quantizer(bytearray(float_model), recipe.static_wi8_ai8())
    ranges = worker.calibrate(for_litert(calibration(), SIGNATURE_KEY), num_threads=1)
    result = worker.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
    assert len(result.quantized_model) < 0.5 * len(float_model)
    runner = Interpreter(model_content=bytes(result.quantized_model)).get_signature_runner()
    ((_, output),) = runner.get_output_details().items()
    scale, zero_point = output["quantization"]
    inputs = runner.get_input_details()["image"]["quantization"]
    expected, actual = [], []
    for sample in samples(8):
        image = np.clip(np.round(sample["image"] / inputs[0]) + inputs[1], -128, 127)
        (answer,) = runner(image=image.astype(np.int8)).values()
        actual.append((answer.astype(np.float32) - zero_point) * scale)
        expected.append(graphs("conv_net").run(sample)["digit"])
    assert sqnr_db(np.stack(expected), np.stack(actual)) > 20
