"""Every engine of the page on every back end, in Chromium, on the artifacts of the digits net."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import browsers
import pytest
from jobs import of_kind, outputs_of, run_job

from edgekit.bundle.bundle import load_bundle
from edgekit.bundle.golden import store_golden
from edgekit.bundle.manifest import ArtifactRecord
from edgekit.results.fidelity import FidelityAccumulator
from edgekit_runtimes.devices import open_device
from edgekit_runtimes.devices.browser.backends import choose_engines
from edgekit_runtimes.formats import FORMATS
from edgekit_runtimes.protocol.job import Event, Job, JobModel

pytestmark = pytest.mark.browser

SAMPLES = 8

# Recipe -> formats, least SQNR in dB of the logits, least top-1 agreement: as on the host.
RECIPES: dict[str, tuple[tuple[str, ...], float, float]] = {
    "fp32": (("tflite", "onnx", "tfjs"), 100, 1.0),
    "fp16": (("tflite", "onnx", "tfjs"), 55, 1.0),
    "int8-weights": (("tflite", "onnx", "tfjs"), 28, 1.0),
    "int8-dynamic": (("tflite", "onnx"), 28, 1.0),
    "int8": (("tflite", "onnx"), 25, 0.98),
    "int16x8": (("tflite",), 25, 0.98),
    "int4-dynamic": (("tflite", "onnx"), 10, 0.95),
}
FP32_TOLERANCE = 1e-4

# Without a GPU each model takes seconds to compile.
WEBGPU_RECIPES = ("fp32", "int8-weights", "int8")

CELLS = [
    (f"{form}/{recipe}", backend)
    for recipe, (forms, _, _) in RECIPES.items()
    for form in forms
    for backend in FORMATS[form].page_engines[0].backends
    if backend != "webgpu" or recipe in WEBGPU_RECIPES
]

# What an engine refuses, and what it says.
REFUSED = {
    # Its delegate takes no weights of one byte to a float convolution.
    ("tflite/int8-weights", "webgpu"): "LiteRT.js cannot load the model",
    ("onnx/fp16", "webgl"): "unsupported data type: FLOAT16",
    ("onnx/int8-weights", "webgl"): "cannot resolve operator 'DequantizeLinear'",
    ("onnx/int8-dynamic", "webgl"): "cannot resolve operator 'DynamicQuantizeLinear'",
    ("onnx/int8", "webgl"): "cannot resolve operator 'DequantizeLinear'",
    ("onnx/int4-dynamic", "webgl"): "cannot resolve operator 'MatMulNBits'",
}


@pytest.fixture(scope="module")
def answers(
    digits_bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], list[Event]]:
    """Run all artifacts that have an engine on a back end, in one page; return its events."""
    browsers.need("chromium")
    bundle = load_bundle(digits_bundle)
    golden = store_golden(bundle, tmp_path_factory.mktemp("golden"))
    inputs = {name: str(path) for name, path in golden.files.items()}

    def model(record: ArtifactRecord, backend: str) -> JobModel:
        choice = choose_engines(record.format, backend)[0]
        options = {**record.engine_options, "backend": backend, "threads": 1}
        return JobModel(record.id, str(choice.module), str(bundle.artifact_path(record)), options)

    @functools.cache
    def run(backend: str) -> list[Event]:
        wanted = {name for name, other in CELLS if other == backend}
        models = [model(record, backend) for record in bundle.artifacts if record.id in wanted]
        with open_device(f"browser:{backend}") as device:
            return run_job(
                device, Job(tuple(models), inputs, golden.preprocessing, outputs=SAMPLES)
            )

    return run


@pytest.fixture(scope="module")
def original(digits_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The original's outputs on the golden samples."""
    golden = store_golden(load_bundle(digits_bundle), tmp_path_factory.mktemp("original"))
    return {name: array[:SAMPLES] for name, array in golden.outputs.items()}


@pytest.mark.parametrize(("name", "backend"), [cell for cell in CELLS if cell not in REFUSED])
def test_each_engine_agrees_with_the_original_on_each_back_end(
    answers: Callable[[str], list[Event]], original: dict[str, Any], name: str, backend: str
) -> None:
    events = answers(backend)
    assert of_kind(events, "error", name) == []
    outputs = outputs_of(events, name)
    accumulator = FidelityAccumulator(original)
    accumulator.add(0, outputs)
    fidelity = accumulator.result()
    recipe = name.split("/")[1]
    _, sqnr_db, top1 = RECIPES[recipe]
    assert fidelity.samples == SAMPLES
    assert fidelity.sqnr_db >= sqnr_db
    assert fidelity.top1 is not None
    assert fidelity.top1 >= top1
    if recipe == "fp32":
        assert fidelity.max_abs_error <= FP32_TOLERANCE


@pytest.mark.parametrize(("name", "backend"), REFUSED)
def test_what_an_engine_refuses_is_an_error_with_its_reason(
    answers: Callable[[str], list[Event]], name: str, backend: str
) -> None:
    (error,) = of_kind(answers(backend), "error", name)
    assert REFUSED[name, backend] in error["message"]
    assert of_kind(answers(backend), "outputs", name) == []


def test_each_engine_says_who_it_is(answers: Callable[[str], list[Event]]) -> None:
    loaded = of_kind(answers("wasm"), "loaded")
    engines = {event["model"].split("/")[0]: event["engine"] for event in loaded}
    assert engines == {form: kind.page_engines[0].word for form, kind in FORMATS.items()}
