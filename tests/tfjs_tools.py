"""What the tests of TF.js share: graphs made by hand, and Node, where TF.js itself judges."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.sources.tracing import freeze_traced
from edgekit_runtimes.tensors import Arrays, TensorSpec

NODE = Path(__file__).parent / "converters" / "tfjs" / "node"


def trace(
    function: Callable[..., dict[str, Any]], outputs: Sequence[str], **inputs: Any
) -> FrozenGraph:
    """Return the frozen graph of a function. inputs: a shape, or (shape, dtype), by name."""
    specs = []
    for name, form in inputs.items():
        shape, dtype = form if isinstance(form[-1], str) else (form, "float32")
        specs.append(TensorSpec(name, tuple(shape), dtype))
    call = lambda tensors: function(**tensors)  # noqa: E731
    return freeze_traced(call, specs, outputs, Path("made by hand"))[0]


def noise(graph: FrozenGraph, count: int = 2, seed: int = 0) -> Arrays:
    """Return one set of inputs: standard normal, or integers below 10."""
    generator = np.random.default_rng(seed)
    arrays = {}
    for spec in graph.input_specs:
        shape = [count if size is None else size for size in spec.shape]
        is_float = np.dtype(spec.dtype).kind == "f"
        values = generator.standard_normal(shape) if is_float else generator.integers(0, 10, shape)
        arrays[spec.name] = values.astype(spec.dtype)
    return arrays


def ops(graph: FrozenGraph) -> Counter[str]:
    """Count the ops of a graph, without constants, inputs and what only names an output."""
    counts = Counter(node.op for node in graph.graph_def.node)
    for op in ("Const", "Placeholder", "Identity"):
        del counts[op]
    return counts


def difference(actual: Arrays, expected: Arrays) -> float:
    """Return the largest difference of two sets of outputs, relative to the largest value."""
    assert actual.keys() == expected.keys()
    differences = []
    for name, array in expected.items():
        assert actual[name].shape == array.shape
        scale = max(float(np.abs(array).max()), 1e-6)
        differences.append(float(np.abs(actual[name] - array).max()) / scale)
    return max(differences)


def run_in_node(work: Path, models: Sequence[tuple[Path, Arrays, Sequence[str]]]) -> list[Arrays]:
    """Run (folder, inputs, names of outputs) in @tensorflow/tfjs and return the outputs.

    work: an empty folder for the files between here and there.
    """
    require_node()
    jobs = []
    for number, (folder, inputs, names) in enumerate(models):
        forms = {}
        for name, array in inputs.items():
            stored = array.astype("int32") if array.dtype.kind in "iu" else array
            file = work / f"{number}-{name}.in"
            stored.tofile(file)
            forms[name] = {
                "dtype": stored.dtype.name,
                "shape": list(array.shape),
                "file": str(file),
            }
        outputs = {name: str(work / f"{number}-{name}.out") for name in names}
        jobs.append({"folder": str(folder), "inputs": forms, "outputs": outputs})
    (work / "job.json").write_text(json.dumps(jobs))
    answer = subprocess.run(
        ["node", NODE / "run.mjs", work / "job.json"], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    results = []
    for job, line in zip(jobs, answer.stdout.splitlines(), strict=True):
        told = json.loads(line)
        assert told["predicted"] == list(job["outputs"])
        results.append(
            {
                name: np.fromfile(job["outputs"][name], form["dtype"]).reshape(form["shape"])
                for name, form in told["outputs"].items()
            }
        )
    return results


def require_node() -> None:
    """Fail with the line to type where Node or TF.js for Node is missing."""
    if shutil.which("node") is None or not (NODE / "node_modules").exists():
        pytest.fail("TF.js for Node is not installed: make install-dev")
