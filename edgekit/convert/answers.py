"""What an artifact, and a frozen graph, answer to golden samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgekit.bundle.golden import GoldenSamples
from edgekit.convert.check import run_on_golden
from edgekit_runtimes.devices import Device
from edgekit_runtimes.errors import EngineError
from edgekit_runtimes.tensors import Array, Arrays, is_batched, pick_sample, unbatch

if TYPE_CHECKING:
    from edgekit_converters.graph.frozen import FrozenGraph


class _Kept:
    """All outputs of an artifact."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Array]] = {}

    def add(self, _start: int, outputs: Arrays) -> None:
        for name, array in outputs.items():
            self._parts.setdefault(name, []).append(array)

    def result(self) -> Arrays:
        return {name: np.concatenate(arrays) for name, arrays in self._parts.items()}


def artifact_answers(
    path: Path, format_name: str, options: Mapping[str, Any], golden: GoldenSamples, device: Device
) -> Arrays:
    """Return the outputs of an artifact, run by its engine, samples along the first axis.

    Raises EngineError if it does not load or run, or the device has no engine for it.
    """
    engine = device.engine_for(format_name)
    if engine.module is None:
        raise EngineError(engine.reason)
    kept, _ = run_on_golden(path, engine, options, golden, device, _Kept)
    return kept.result()


def graph_answers(graph: FrozenGraph, samples: Iterator[Arrays]) -> Arrays:
    """Return the outputs of a frozen graph in TensorFlow, samples along the first axis."""
    batched = graph.batched
    answers = [
        {name: unbatch(array, batched) for name, array in outputs.items()}
        for outputs in graph.answers(samples)
    ]
    return {
        entry.spec.name: np.stack([answer[entry.spec.name] for answer in answers])
        for entry in graph.outputs
    }


def ready_samples(golden: GoldenSamples) -> Iterator[Arrays]:
    """Yield the golden samples as a model takes them, one at a time."""
    arrays = {name: np.load(file, mmap_mode="r") for name, file in golden.files.items()}
    batched = is_batched(golden.specs)
    for index in range(len(next(iter(arrays.values())))):
        sample = pick_sample(arrays, index, batched)
        yield {
            spec.name: golden.preprocessing.apply(np.asarray(sample[spec.name]), spec.dtype)
            for spec in golden.specs
        }


def one_sample(golden: GoldenSamples, index: int, folder: Path) -> GoldenSamples:
    """Return one of the golden samples, stored in `folder`."""
    files = {}
    for number, (name, file) in enumerate(golden.files.items()):
        files[name] = (folder / f"sample{number}.npy").resolve()
        np.save(files[name], np.load(file, mmap_mode="r")[index : index + 1])
    outputs = {name: array[index : index + 1] for name, array in golden.outputs.items()}
    return GoldenSamples(golden.specs, files, outputs, golden.preprocessing)
