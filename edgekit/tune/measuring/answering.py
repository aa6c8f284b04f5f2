"""How artifacts answer samples, beside the fp32 artifact of their format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit.convert.closeness import closeness
from edgekit.results.events import read_events
from edgekit.tune.candidate import Answers
from edgekit.tune.measuring.samples import Part
from edgekit.tune.promise import paired
from edgekit_runtimes.devices import open_device
from edgekit_runtimes.errors import DataError, EngineError
from edgekit_runtimes.protocol.job import Job
from edgekit_runtimes.tensors import Array, Arrays, Preprocessing

HOST = "host"


@dataclass(frozen=True)
class Artifact:
    """What is run. path: of its file or folder."""

    format: str
    path: str
    options: Mapping[str, Any]


def outputs_of(artifact: Artifact, part: Part, preprocessing: Preprocessing) -> Arrays:
    """Return an artifact's outputs, run by its engine on this machine. Raises EngineError."""
    pieces: dict[str, list[Array]] = {}

    def take(_: str, start: int, outputs: Arrays) -> None:
        for name, array in outputs.items():
            pieces.setdefault(name, []).append(array)

    with open_device(HOST) as device:
        model = device.engine_for(artifact.format).job_model(
            "artifact", artifact.path, artifact.options
        )
        job = Job((model,), part.inputs, preprocessing, outputs=-1)
        if failure := read_events(device.run(job), take).failure:
            raise EngineError(failure)
    return {name: np.concatenate(arrays) for name, arrays in pieces.items()}


@dataclass(frozen=True)
class Reference:
    """What the fp32 artifact answers. output: the one that top-1 is about, None for none."""

    outputs: Arrays
    labels: Array | None
    output: str | None

    def compare(self, found: Arrays) -> Answers:
        """Return how others answer the same samples."""
        samples = len(next(iter(self.outputs.values())))
        levels = [closeness(array, found[name]) for name, array in self.outputs.items()]
        if self.output is None:
            return Answers(samples, min(levels))
        mine, other = top1(self.outputs[self.output]), top1(found[self.output])
        table = None if self.labels is None else paired(mine == self.labels, other == self.labels)
        return Answers(samples, min(levels), table, int((mine != other).sum()))


def reference_of(outputs: Arrays, labels: Array | None, name: str | None) -> Reference:
    """Return the reference that fp32's outputs make.

    name: the output that labels are about; None for the only one that has classes. Raises DataError
    where all answers are the same: nothing can be lost of them.
    """
    classed = [one for one, array in outputs.items() if _has_classes(array)]
    output = name or (classed[0] if len(classed) == 1 else None)
    if output is not None:
        answers = top1(outputs[output])
        if len(np.unique(answers)) == 1:
            raise DataError(
                f"The original gives all {len(answers)} samples the same class ({answers[0]}), so "
                "nothing could be lost. Are the samples scaled as it needs them (--scale, --mean)?"
            )
    elif all((array == array[:1]).all() for array in outputs.values()):
        raise DataError(
            "The original gives all samples the same answer, so nothing could be lost. Are the "
            "samples scaled as it needs them (--scale, --mean)?"
        )
    return Reference(outputs, labels, output)


def top1(output: Array) -> Array:
    """Return the class of each sample; -1 where a score is NaN."""
    flat = output.reshape(len(output), -1)
    fine = np.isfinite(flat).all(axis=1)
    return np.asarray(np.where(fine, flat.argmax(axis=1), -1))


def _has_classes(array: Array) -> bool:
    return array.dtype.kind == "f" and array.ndim == 2 and array.shape[1] > 1
