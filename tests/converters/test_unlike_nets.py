"""Engines agree with the original on unlike nets, whatever they optimize and wherever they run."""

from __future__ import annotations

import functools

import numpy as np
import onnxruntime
import pytest
import unlike_nets
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from models import freeze_model
from onnx_web import run_models
from tfjs_operators.table import encoded, fault, run_cases

from edgekit_converters.calibration import Calibration
from edgekit_converters.onnx import write as onnx
from edgekit_converters.tfjs import write as tfjs
from edgekit_converters.tflite import write as tflite

# float32 in another order, in nets of a few layers.
TOLERANCE = 1e-5
# The least SQNR in dB of a row, at every level: what these roundings leave of such nets.
LEAST_DB = {"fp16": 50.0, "int8": 20.0}
LEVELS = ("ORT_DISABLE_ALL", "ORT_ENABLE_BASIC", "ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL")
RESOLVERS = (OpResolverType.AUTO, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
# Pads before pools, a residual recurrent net, resizing, transposed and grouped convolutions,
# attention, global pools, activations, comparisons, norms, dilation.
DOZEN = (
    "activated",
    "attention",
    "causal",
    "compared",
    "global",
    "grouped",
    "normed",
    "padded_pools",
    "residual_recurrent",
    "resized",
    "spread",
    "transposed",
)


@functools.cache
def frozen(name):
    return freeze_model(unlike_nets.NETS[name]())


@functools.cache
def samples(name, count=2):
    (spec,) = frozen(name).input_specs
    shape = [count if size is None else size for size in spec.shape]
    return np.random.default_rng(3).normal(size=shape).astype(np.float32)


@functools.cache
def original(name):
    return frozen(name).run({"x": samples(name)})


def in_onnxruntime(path, level, x):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"x": x}), strict=True))


def faults(outputs, expected):
    """Return the outputs that differ. Positions are int64 in TensorFlow and in ONNX."""
    told = {}
    for name, wanted in expected.items():
        made = outputs[name].astype(np.int32) if wanted.dtype.kind == "i" else outputs[name]
        if text := fault([made], [wanted], TOLERANCE):
            told[name] = text
    return told


def sqnr_db(outputs, expected):
    ratios = []
    for name, wanted in expected.items():
        noise = float(np.square(wanted - outputs[name].astype(np.float32)).sum())
        ratios.append(10 * np.log10(float(np.square(wanted).sum()) / max(noise, 1e-30)))
    return min(ratios)


@pytest.mark.parametrize("name", DOZEN)
def test_onnxruntime_agrees_with_the_original_at_every_level(tmp_path, name):
    path = tmp_path / "fp32.onnx"
    onnx.write(onnx.prepare(frozen(name)), "fp32", path, None)
    told = {
        level: faults(in_onnxruntime(path, level, samples(name)), original(name))
        for level in LEVELS
    }
    assert not any(told.values()), told


def test_onnxruntime_web_agrees_with_the_original(tmp_path):
    models = []
    for name in DOZEN:
        path = tmp_path / f"{name}.onnx"
        onnx.write(onnx.prepare(frozen(name)), "fp32", path, None)
        models.append({"path": str(path), "inputs": {"x": encoded(samples(name), "float32")}})
    answers = run_models(models, tmp_path / "job.json")
    told = {name: faults(made, original(name)) for name, made in zip(DOZEN, answers, strict=True)}
    assert not any(told.values()), told


@pytest.mark.parametrize("quantization", LEAST_DB)
@pytest.mark.parametrize("name", ["grouped", "padded_pools", "spread"])
def test_smaller_rows_are_no_worse_at_any_level(tmp_path, name, quantization):
    x, path = samples(name, 16), tmp_path / "small.onnx"
    calibration = Calibration(lambda: ({"x": x[i : i + 1]} for i in range(len(x))))
    onnx.write(onnx.prepare(frozen(name)), quantization, path, calibration)
    expected = frozen(name).run({"x": x})
    worst = min(sqnr_db(in_onnxruntime(path, level, x), expected) for level in LEVELS)
    assert worst >= LEAST_DB[quantization]


@pytest.mark.parametrize("name", DOZEN)
def test_litert_agrees_with_the_original_with_and_without_xnnpack(tmp_path, name):
    path = tmp_path / "fp32.tflite"
    tflite.write(tflite.prepare(frozen(name)), "fp32", path, None)
    x = {"x": samples(name, 1 if frozen(name).input_specs[0].shape[0] == 1 else 2)}
    expected = frozen(name).run(x)
    for resolver in RESOLVERS:
        interpreter = Interpreter(str(path), experimental_op_resolver_type=resolver)
        assert faults(interpreter.get_signature_runner()(**x), expected) == {}, resolver


@pytest.mark.slow
def test_tfjs_agrees_with_the_original_on_cpu_and_wasm(tmp_path):
    jobs, names = [], [name for name in unlike_nets.NETS if name not in unlike_nets.NOT_IN_TFJS]
    for name in names:
        prepared = tfjs.prepare(frozen(name))
        tfjs.write(prepared, "fp32", tmp_path / name)
        outputs = [spec.name for spec in prepared.output_specs]
        inputs = {"x": encoded(samples(name), "float32")}
        jobs.append(
            {"folder": str(tmp_path / name), "cases": [{"inputs": inputs, "outputs": outputs}]}
        )
    told = {}
    for backend in ("cpu", "wasm"):
        for name, made in zip(names, run_cases(backend, jobs, tmp_path / "job.json"), strict=True):
            if text := fault(made, list(original(name).values()), TOLERANCE):
                told[name, backend] = text
    assert told.keys() == {("spectral", "wasm")}
    assert "Kernel 'Complex' not registered" in told["spectral", "wasm"]
