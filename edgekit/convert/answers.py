"""What an artifact, and a frozen graph, answer to golden samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgekit.bundle.golden import GoldenSamples
from edgekit.results.events import read_events
from edgekit_runtimes.devices import Device
from edgekit_runtimes.errors import EngineError
from edgekit_runtimes.protocol.job import Job, JobModel
from edgekit_runtimes.tensors import Arrays, is_batched, pick_sample, unbatch

if TYPE_CHECKING:
    from edgekit_converters.graph.frozen import FrozenGraph


def artifact_answers(
    path: Path, format_name: str, options: Mapping[str, Any], golden: GoldenSamples, device: Device
) -> Arrays:
    """Return the outputs of an artifact, run by its engine, samples along the first axis.

    Raises EngineError if it does not load or run, or the device has no engine for it.
    """
    if format_name == "tfjs":
        return _read_answers(path, golden)
    engine = device.engine_for(format_name)
    if engine.module is None:
        raise EngineError(engine.reason)
    parts: dict[str, list[Any]] = {}
    job = Job(
        models=(JobModel("artifact", engine.module, str(path), options),),
        inputs={name: str(file) for name, file in golden.files.items()},
        preprocessing=golden.preprocessing,
        outputs=-1,
    )

    def keep(_: str, _start: int, outputs: Arrays) -> None:
        for name, array in outputs.items():
            parts.setdefault(name, []).append(array)

    if failure := read_events(device.run(job), keep).failure:
        raise EngineError(failure.replace(str(path), path.name))
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def _read_answers(path: Path, golden: GoldenSamples) -> Arrays:
    """Return the outputs of a TF.js folder, read back and run by TensorFlow."""
    from edgekit_converters.tfjs.read import load

    model, batched = load(path), is_batched(golden.specs)
    answers = [
        {name: unbatch(array, batched) for name, array in model(sample).items()}
        for sample in ready_samples(golden)
    ]
    return {name: np.stack([answer[name] for answer in answers]) for name in answers[0]}


def graph_answers(graph: FrozenGraph, samples: Iterator[Arrays]) -> Arrays:
    """Return the outputs of a frozen graph in TensorFlow, samples along the first axis."""
    import tensorflow as tf

    function, batched = graph.function(), graph.batched
    answers = [
        [
            unbatch(result.numpy(), batched)
            for result in function(
                *(tf.constant(sample[entry.spec.name]) for entry in graph.inputs)
            )
        ]
        for sample in samples
    ]
    return {
        entry.spec.name: np.stack([answer[place] for answer in answers])
        for place, entry in enumerate(graph.outputs)
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
