"""Golden samples: a few inputs, and the original's outputs for them.

With them any device can judge fidelity without TensorFlow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgekit import data
from edgekit.bundle.bundle import MAX_NOISE_VALUES, Bundle, golden_file
from edgekit.bundle.manifest import Golden
from edgekit.data.split import Split, hold_back, how_many_to_hold_back
from edgekit.files import write_npy
from edgekit_converters.calibration import CALIBRATION_SAMPLES
from edgekit_runtimes.errors import SourceError, map_exceptions
from edgekit_runtimes.tensors import Arrays, Preprocessing, TensorSpec, pick_sample, unbatch

if TYPE_CHECKING:
    from edgekit.data import Dataset
    from edgekit_converters.sources import Source

MAX_SAMPLES = 64
MAX_BYTES = 8_000_000

# Without data nothing can be representative: a few samples show a broken artifact.
NOISE_SAMPLES = 8
NOISE_SEED = 0


@dataclass(frozen=True)
class GoldenSamples:
    """Golden samples where a worker can read them.

    files: one .npy per input, before preprocessing. outputs: the original's, by name.
    """

    specs: tuple[TensorSpec, ...]
    files: Mapping[str, Path]
    outputs: Arrays
    preprocessing: Preprocessing


def split_samples(dataset: Dataset, may_hold_back: bool) -> Split:
    """Return which samples are golden, and which calibrate.

    There are 64 golden ones, or as many as fit in 8 MB; of few samples a quarter, or the same ones
    that calibrate. may_hold_back: False to let calibration see them in any case, as in bundles of
    an edgekit that did so.
    """
    limit = max(1, min(MAX_SAMPLES, MAX_BYTES // max(1, dataset.sample_bytes)))
    numbers = dataset.numbers(CALIBRATION_SAMPLES + limit)
    count = how_many_to_hold_back(len(numbers), limit) if may_hold_back else 0
    if count:
        return hold_back(numbers, count)
    golden, calibration = dataset.numbers(limit), dataset.numbers(CALIBRATION_SAMPLES)
    return Split(tuple(golden), tuple(calibration), held_back=False)


def choose_golden(
    source: Source, dataset: Dataset | None, split: Split | None
) -> tuple[Golden, Arrays]:
    """Return the golden samples' description and their inputs, before preprocessing.

    Those of `split`, or seeded noise where there is no data.
    """
    if dataset is None or split is None:
        return noise_golden(source.graph.input_specs)
    return stored_golden(dataset, split)


def noise_golden(specs: Sequence[TensorSpec]) -> tuple[Golden, Arrays]:
    """Return golden samples of seeded noise for these inputs."""
    values = sum(math.prod(size or 1 for size in spec.shape) for spec in specs)
    count = max(1, min(NOISE_SAMPLES, MAX_NOISE_VALUES // max(1, values)))
    arrays = data.noise(specs, count, NOISE_SEED)
    golden = Golden(
        kind="noise",
        count=count,
        sha256=data.arrays_hash(arrays),
        generator=data.NOISE_GENERATOR,
        seed=NOISE_SEED,
    )
    return golden, arrays


def stored_golden(dataset: Dataset, split: Split) -> tuple[Golden, Arrays]:
    """Return golden samples that are those of `split`."""
    samples = [sample.arrays for sample in dataset.pick(split.golden)]
    arrays = {name: np.stack([sample[name] for sample in samples]) for name in samples[0]}
    digest = data.arrays_hash(arrays)
    return Golden("calibration", len(samples), digest, held_back=split.held_back), arrays


def answer(source: Source, inputs: Arrays, preprocessing: Preprocessing) -> Arrays:
    """Return the original's outputs for golden inputs, samples along the first axis.

    Raises SourceError if the original cannot be run, or its outputs change their shape.
    """
    batched = source.graph.batched
    dtypes = {spec.name: spec.dtype for spec in source.graph.input_specs}

    def ready(index: int) -> Arrays:
        sample = pick_sample(inputs, index, batched)
        return {name: preprocessing.apply(x, dtypes[name]) for name, x in sample.items()}

    count = len(next(iter(inputs.values())))
    if source.run_many:
        with map_exceptions(f"{source.path} cannot be run", SourceError):
            return source.run_many([ready(index) for index in range(count)])
    answers: list[Arrays] = []
    for index in range(count):
        with map_exceptions(f"{source.path} cannot be run on sample {index}", SourceError):
            outputs = source.run(ready(index))
        answers.append({name: unbatch(array, batched) for name, array in outputs.items()})
        for name, array in answers[-1].items():
            if array.shape != answers[0][name].shape:
                raise SourceError(
                    f"Output '{name}' of {source.path} has shape {list(array.shape)} for one "
                    f"sample and {list(answers[0][name].shape)} for another. Such outputs cannot "
                    "be compared: export the model without the step that makes them."
                )
    return {name: np.stack([one[name] for one in answers]) for name in answers[0]}


def store_golden(bundle: Bundle, folder: Path) -> GoldenSamples:
    """Return a bundle's golden samples as files: its own, or noise generated again in `folder`."""
    arrays = bundle.golden_inputs()
    if bundle.manifest.golden.kind == "noise":
        for name, array in arrays.items():
            write_npy(golden_file(folder, "inputs", name), array)
    else:
        folder = bundle.folder
    return GoldenSamples(
        specs=bundle.manifest.inputs,
        files={name: golden_file(folder, "inputs", name).resolve() for name in arrays},
        outputs=bundle.golden_outputs(),
        preprocessing=bundle.manifest.preprocessing,
    )
