"""The same artifact gives the same answers on the host and on the boards.

Static int8 in LiteRT to the last bit, the rest within a share of the largest output. Dynamic
quantization rounds activations by other kernels where the CPU has a dot product (pi5, x86-64).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import DIGITS

from edgekit.bundle import Bundle
from edgekit.convert import ConvertRequest, convert
from edgekit.golden import GoldenSamples, store_golden
from edgekit.recipe import parse_recipes
from edgekit_runtimes.devices import Device, open_device
from edgekit_runtimes.job import Event, Job, JobModel
from edgekit_runtimes.tensors import Arrays, decode_array

pytestmark = [pytest.mark.board, pytest.mark.slow]

RECIPES = "fp32,fp16,int8-weights,int8-dynamic,int8,int4-dynamic"
SAMPLES = 4

EXACT = 0.0
# Kernels add in another order; 3e-7 was seen.
FLOAT = 1e-5
# 1.8 % of the range was seen on other models, 0.3 % on this one.
DYNAMIC = 0.02
# onnxruntime's static int8 is not the same to the last bit on ARM64 as on x86-64: 1.0 % was seen,
# on all boards alike. Which operator differs is not known yet; it should be EXACT.
ONNX_INT8 = 0.02
TOLERANCES = {
    "tflite/fp32": FLOAT,
    "tflite/fp16": FLOAT,
    "tflite/int8-weights": FLOAT,
    "tflite/int8-dynamic": DYNAMIC,
    "tflite/int8": EXACT,
    "tflite/int4-dynamic": DYNAMIC,
    "onnx/fp32": FLOAT,
    # Computed in halves of 11 bits where the CPU can, in floats elsewhere.
    "onnx/fp16": 5e-3,
    "onnx/int8-weights": FLOAT,
    "onnx/int8-dynamic": DYNAMIC,
    "onnx/int8": ONNX_INT8,
    "onnx/int4-dynamic": DYNAMIC,
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return convert(
        ConvertRequest(
            source=DIGITS / "digits.keras",
            output=tmp_path_factory.mktemp("digits") / "digits.edgekit",
            formats=("tflite", "onnx"),
            recipes=parse_recipes(RECIPES),
            calibration=str(DIGITS / "digits.npz"),
        )
    )


def jobs_for(bundle: Bundle, golden: GoldenSamples, device: Device) -> dict[str, Job]:
    inputs = {name: str(file) for name, file in golden.files.items()}
    jobs = {}
    for row in bundle.artifacts:
        if row.status == "ok":
            engine = device.engine_for(row.format).module
            assert engine
            path = str(bundle.artifact_path(row))
            model = JobModel(row.id, engine, path, row.engine_options)
            jobs[row.id] = Job((model,), inputs, golden.preprocessing, outputs=SAMPLES)
    return jobs


def outputs_of(events: list[Event]) -> Arrays:
    (event,) = [event for event in events if event["event"] == "outputs"]
    return {name: decode_array(form) for name, form in event["arrays"].items()}


@pytest.fixture(scope="module")
def on_host(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Arrays]:
    golden = store_golden(bundle, tmp_path_factory.mktemp("golden"))
    with open_device("host") as device:
        jobs = jobs_for(bundle, golden, device)
        return {name: outputs_of(list(device.run(job))) for name, job in jobs.items()}


@pytest.mark.parametrize("board", ["pi3", "pi4", "pi5"])
def test_artifacts_answer_on_the_board_as_on_the_host(
    bundle: Bundle, on_host: dict[str, Arrays], board: str, tmp_path: Path
) -> None:
    golden = store_golden(bundle, tmp_path)
    with open_device(f"board:{board}") as device:
        jobs = jobs_for(bundle, golden, device)
        names = list(jobs)
        events: dict[str, list[Event]] = {name: [] for name in names}
        for number, event in device.run_all(list(jobs.values())):
            events[names[number]].append(event)
    assert names == [name for name in TOLERANCES if name in names]
    assert len(names) == len(TOLERANCES)
    apart = {}
    for name in names:
        found, expected = outputs_of(events[name]), on_host[name]
        for output, array in expected.items():
            error = np.abs(found[output] - array).max() / np.abs(array).max()
            if error > TOLERANCES[name]:
                apart[name] = float(error)
    assert not apart
