"""How long one `edgekit convert` takes against the reference tools, one variant at a time.

    python benchmarks/convert_speed.py [--rounds 3]

The same eleven variants of mbv2 (MobileNetV2, 224 x 224, seeded random weights):

    {tflite, onnx, tfjs} x {fp32, fp16, int8-weights, int8}, less tfjs int8, which does not exist

Reference: a fresh process for each variant, as the tools' own command lines are: TFLite by
TensorFlow's converter and the LiteRT quantizer, ONNX by tf2onnx and onnxruntime's quantizer, TF.js
by tensorflowjs_converter (installed without its broken dependencies, see the Makefile). Both sides
are run in turns; the medians, their ratio and edgekit's peak memory are printed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
TARGET_RATIO = 0.35

PRELUDE = """
import sys
from pathlib import Path
import numpy as np
source, calibration, output = (Path(word) for word in sys.argv[1:4])
quantization = sys.argv[4]
samples = [{"NAME": image[None]} for image in np.load(calibration)["x"]]
"""

TFLITE = """
import tempfile
import keras
import tensorflow as tf
from litert_quantizer import quantizer, recipe
model = keras.saving.load_model(source, compile=False)
with tempfile.TemporaryDirectory() as folder:
    model.export(folder, verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    if quantization == "fp16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    content = converter.convert()
if quantization.startswith("int8"):
    static = quantization == "int8"
    rules = recipe.static_wi8_ai8() if static else recipe.weight_only_wi8_afp32()
    worker = quantizer.Quantizer(bytearray(content), rules)
    name = model.inputs[0].name
    data = {"serving_default": [{name: next(iter(s.values()))} for s in samples]}
    ranges = worker.calibrate(data, num_threads=2) if static else None
    content = worker.quantize(ranges, enable_progress_report=False).quantized_model
output.write_bytes(bytes(content))
"""

ONNX = """
import keras
import onnx
import tensorflow as tf
import tf2onnx
model = keras.saving.load_model(source, compile=False)
function = tf.function(lambda x: model(x, training=False))
signature = [tf.TensorSpec((None, 224, 224, 3), tf.float32, "x")]
float_path = output.with_suffix(".float.onnx")
proto, _ = tf2onnx.convert.from_function(function, signature, opset=18)
onnx.save(proto, float_path)
if quantization == "fp32":
    float_path.rename(output)
elif quantization == "fp16":
    from onnxruntime.transformers.float16 import convert_float_to_float16
    onnx.save(convert_float_to_float16(proto, keep_io_types=True), output)
elif quantization == "int8-weights":
    from onnxruntime.quantization import QuantType, quantize_dynamic
    quantize_dynamic(float_path, output, weight_type=QuantType.QInt8, per_channel=True)
elif quantization == "int8":
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType
    from onnxruntime.quantization import quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.samples = iter(samples)
        def get_next(self):
            sample = next(self.samples, None)
            return sample and {"x": next(iter(sample.values()))}

    ready = output.with_suffix(".ready.onnx")
    quant_pre_process(float_path, ready, skip_symbolic_shape=True)
    quantize_static(ready, output, Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
"""

TFJS = f"""
import tempfile
import keras
sys.path.insert(0, {str(ROOT / "tests" / "converters" / "tfjs")!r})
import reference
convert = reference.convert_tf_saved_model()
model = keras.saving.load_model(source, compile=False)
storage = {{"fp16": {{"float16": "*"}}, "int8-weights": {{"uint8": "*"}}}}.get(quantization)
with tempfile.TemporaryDirectory() as folder:
    model.export(folder, verbose=False)
    convert(folder, str(output), quantization_dtype_map=storage)
"""

SCRIPTS = {"tflite": TFLITE, "onnx": ONNX, "tfjs": TFJS}
VARIANTS = [
    (format_name, quantization)
    for format_name in SCRIPTS
    for quantization in ("fp32", "fp16", "int8-weights", "int8")
    if (format_name, quantization) != ("tfjs", "int8")
]


def run_edgekit(source: Path, calibration: Path, work: Path) -> tuple[float, float]:
    """Return the seconds and the peak memory in GB of one `edgekit convert`."""
    command = [
        *(sys.executable, "-m", "edgekit", "convert", str(source)),
        *("--recipe", "fp32,fp16,int8-weights,int8", "--calibration", str(calibration)),
        # The reference tools try nothing either.
        *("--effort", "low"),
        *("-o", str(work / "mbv2.edgekit")),
    ]
    before = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"edgekit convert failed with status {status}")
    return time.perf_counter() - before, usage.ru_maxrss * 1024 / 1e9


def run_reference(source: Path, calibration: Path, work: Path) -> dict[str, float]:
    """Return the seconds of each variant, each in a separate process."""
    seconds = {}
    for format_name, quantization in VARIANTS:
        output = work / f"reference-{quantization}.{format_name}"
        before = time.perf_counter()
        subprocess.run(
            _reference_command(format_name, quantization, source, calibration, output),
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if not output.exists():
            raise SystemExit(f"the reference wrote no {format_name}/{quantization}")
        seconds[f"{format_name}/{quantization}"] = time.perf_counter() - before
    return seconds


def _reference_command(
    format_name: str, quantization: str, source: Path, calibration: Path, output: Path
) -> list[str]:
    arguments = [str(source), str(calibration), str(output), quantization]
    return [sys.executable, "-c", PRELUDE + SCRIPTS[format_name], *arguments]


def main() -> None:
    """Run both sides in turns and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    ours, theirs, peaks = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        source, calibration = work / "mbv2.keras", work / "mbv2.npz"
        # In a separate process: a child's peak memory starts at what its parent holds.
        maker = ROOT / "examples" / "mbv2" / "make.py"
        subprocess.run([sys.executable, str(maker), str(work)], check=True)
        for number in range(rounds):
            (work / str(number)).mkdir()
            seconds, peak = run_edgekit(source, calibration, work / str(number))
            ours.append(seconds)
            peaks.append(peak)
            each = run_reference(source, calibration, work / str(number))
            theirs.append(sum(each.values()))
            print(f"round {number + 1}: edgekit {seconds:.1f} s, reference {theirs[-1]:.1f} s")
    ratios = [our / their for our, their in zip(ours, theirs, strict=True)]
    for name, seconds in each.items():
        print(f"  {name:<20} {seconds:5.1f} s")
    print(
        f"edgekit {statistics.median(ours):.1f} s, reference {statistics.median(theirs):.1f} s, "
        f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}; "
        f"target {TARGET_RATIO}), peak memory {max(peaks):.2f} GB"
    )


if __name__ == "__main__":
    main()
