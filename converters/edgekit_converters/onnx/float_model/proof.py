"""The proof of a float model: onnxruntime answers as TensorFlow does, on a seeded sample.

Some optimizers of tf2onnx change what a graph computes. Their result is compared with the frozen
graph before anything is made of it.
"""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime

from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_runtimes.errors import first_line
from edgekit_runtimes.tensors import Arrays, TensorSpec

# Two float32 computations of one graph differ by far less (100 dB and more); a wrong one by far
# more than this share of the largest output.
LARGEST_DIFFERENCE = 1e-2
# Below it, outputs are compared by their difference itself: their share says nothing.
SMALL_OUTPUT = 1e-6
SEED = 0
FREE_BATCH, FREE_SIZE = 2, 32
ERRORS_ONLY = 3


def difference(model: onnx.ModelProto, graph: FrozenGraph) -> str:
    """Return how the answers of a model differ from those of its graph; "" where they do not."""
    inputs = {spec.name: _sample(spec) for spec in graph.input_specs}
    try:
        expected = graph.run(inputs)
    except Exception:
        # A sample that the original cannot take proves nothing.
        return ""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        names = [entry.name for entry in session.get_inputs()]
        results = session.run(None, {name: inputs[name] for name in names})
    except Exception as error:
        return first_line(error)
    found = dict(zip([entry.name for entry in session.get_outputs()], results, strict=True))
    return next(filter(None, (_compared(name, found, expected) for name in expected)), "")


def _compared(name: str, found: Arrays, expected: Arrays) -> str:
    got, wanted = (np.asarray(arrays[name], np.float64) for arrays in (found, expected))
    if got.shape != wanted.shape:
        return f"output '{name}' has the shape {list(got.shape)} instead of {list(wanted.shape)}"
    if not got.size or not np.isfinite(wanted).all():
        return ""
    largest = np.abs(wanted).max()
    share = np.abs(got - wanted).max() / max(largest, SMALL_OUTPUT)
    return "" if share <= LARGEST_DIFFERENCE else f"output '{name}' differs by {share:.2g}"


def _sample(spec: TensorSpec) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    sizes = [size or (FREE_SIZE if axis else FREE_BATCH) for axis, size in enumerate(spec.shape)]
    generator = np.random.default_rng(SEED)
    dtype = np.dtype(spec.dtype)
    if dtype.kind == "f":
        return generator.uniform(-1, 1, sizes).astype(dtype)
    # Small enough for any table or class that integers may name.
    return generator.integers(0, 2, sizes).astype(dtype)
