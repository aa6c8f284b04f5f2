"""The table of operators as TF.js models, what TensorFlow makes of them, and how both compare."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tfjs_tools import NODE, require_node, trace

from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.graph.library import all_nodes
from edgekit_converters.tfjs.write import prepare, write
from edgekit_runtimes.tensors import Array, Arrays
from tfjs_operators import (
    binary,
    choices,
    convolutions,
    flow,
    forms,
    gathers,
    lists,
    norms,
    paddings,
    pools,
    products,
    reductions,
    slices,
    spectra,
    unary,
)
from tfjs_operators.case import Case

# Each becomes one model, whose parts are run apart.
TABLE: Mapping[str, Sequence[Case]] = {
    module.__name__.rpartition(".")[2]: tuple(module.cases())
    for module in (
        binary,
        choices,
        convolutions,
        flow,
        forms,
        gathers,
        lists,
        norms,
        paddings,
        pools,
        products,
        reductions,
        slices,
        spectra,
        unary,
    )
}


def input_name(number: int, place: int) -> str:
    """Return the name of an input of a case in its model."""
    return f"x{number}_{place}"


class Group:
    """The cases of one model, and the graph that holds them all.

    flat: whether all inputs are pieces of a single one, float32, as a page is given samples.
    """

    def __init__(self, name: str, cases: Sequence[Case], flat: bool = False) -> None:
        self.name, self.cases, self.flat = name, cases, flat
        self.outputs: list[list[str]] = [[] for _ in cases]
        self.graph = self._trace()

    def inputs(self) -> Arrays:
        """Return the inputs of all cases by name."""
        if self.flat:
            pieces = [array.ravel() for case in self.cases for array in case.inputs]
            return {self.name: np.concatenate(pieces).astype(np.float32)}
        return {
            input_name(number, place): array
            for number, case in enumerate(self.cases)
            for place, array in enumerate(case.inputs)
        }

    def _trace(self) -> FrozenGraph:
        names: list[str] = []

        def compute(**tensors: Any) -> dict[str, Any]:
            made, results = iter(self._split(tensors)), {}
            for number, case in enumerate(self.cases):
                result = case.compute(*(next(made) for _ in case.inputs))
                tensors_made = result if isinstance(result, list | tuple) else [result]
                self.outputs[number] = [f"y{number}_{n}" for n in range(len(tensors_made))]
                results.update(zip(self.outputs[number], tensors_made, strict=True))
            names[:] = results
            return results

        specs = {name: (array.shape, array.dtype.name) for name, array in self.inputs().items()}
        # AutoGraph would take most of the time, and there is nothing for it to do.
        return trace(tf.autograph.experimental.do_not_convert(compute), names, **specs)

    def _split(self, tensors: Mapping[str, Any]) -> Iterator[Any]:
        """Yield the inputs of the cases, one after another."""
        if not self.flat:
            yield from (tensors[name] for name in self.inputs())
            return
        start = 0
        for array in (array for case in self.cases for array in case.inputs):
            piece = tensors[self.name][start : start + array.size]
            yield tf.cast(tf.reshape(piece, array.shape), array.dtype)
            start += array.size


def written(group: Group, folder: Path) -> tuple[FrozenGraph, set[str]]:
    """Write a group as a TF.js model; return its prepared graph and the operators in it."""
    prepared = prepare(group.graph)
    write(prepared, "fp32", folder)
    return prepared, {node.op for node in all_nodes(prepared.graph_def)}


def job_of(group: Group, prepared: FrozenGraph, folder: Path) -> dict[str, Any]:
    """Return what cases.mjs is to run of a written group."""
    dtypes = {spec.name: spec.dtype for spec in prepared.input_specs}
    cases = [
        {
            "inputs": {
                input_name(number, place): encoded(array, dtypes[input_name(number, place)])
                for place, array in enumerate(case.inputs)
            },
            "outputs": group.outputs[number],
        }
        for number, case in enumerate(group.cases)
    ]
    return {"folder": str(folder), "cases": cases}


def encoded(array: Array, dtype: str) -> dict[str, Any]:
    """Return an array as cases.mjs takes it."""
    data = base64.b64encode(array.astype(dtype).tobytes()).decode()
    return {"dtype": dtype, "shape": list(array.shape), "data": data}


def run_cases(backend: str, models: Sequence[Any], path: Path) -> list[Any]:
    """Run the cases of some models in Node; return a list of arrays a case, or what went wrong.

    path: a file for the job.
    """
    require_node()
    path.write_text(json.dumps({"backend": backend, "models": models}))
    command = ["node", str(NODE / "cases.mjs"), str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    told = [json.loads(line) for line in answer.stdout.splitlines() if line.startswith("{")]
    return [case.get("error") or [_decoded(form) for form in case["outputs"]] for case in told]


def _decoded(form: Mapping[str, Any]) -> Array:
    array = np.frombuffer(base64.b64decode(form["data"]), form["dtype"])
    return array.reshape(form["shape"])


def fault(made: Any, expected: Sequence[Array], tolerance: float) -> str | None:
    """Return how the outputs of a case differ from TensorFlow's, or None."""
    if isinstance(made, str):
        return made
    faults = [_fault(one, wanted, tolerance) for one, wanted in zip(made, expected, strict=True)]
    return next((text for text in faults if text), None)


def _fault(made: Array, wanted: Array, tolerance: float) -> str | None:
    kinds = {"f": "float32", "i": "int32", "u": "int32", "b": "bool"}
    if made.dtype.name != kinds[wanted.dtype.kind]:
        return f"{made.dtype.name} instead of {kinds[wanted.dtype.kind]}"
    if made.shape != wanted.shape:
        return f"{made.shape} instead of {wanted.shape}"
    finite = np.isfinite(wanted)
    if wanted.dtype.kind != "f":
        is_right = np.array_equal(made.astype(np.int64), wanted.astype(np.int64))
    elif not np.array_equal(made[~finite], wanted[~finite], equal_nan=True):
        is_right = False
    else:
        scale = max(float(np.abs(wanted[finite]).max(initial=0)), 1e-6)
        distance = float(np.abs(made[finite] - wanted[finite]).max(initial=0))
        is_right = distance <= tolerance * scale
    return None if is_right else f"{made.ravel()[:6]} instead of {wanted.ravel()[:6]}"
