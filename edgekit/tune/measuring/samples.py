"""The samples of a search: some that it sees, and others that judge what it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgekit.data import Dataset, spool
from edgekit.files import write_npy
from edgekit_runtimes.errors import DataError
from edgekit_runtimes.tensors import Array

LEAST = 32
# A quarter is enough to rank candidates; what is left makes the promise.
SEARCH_SHARE = 4
MOST_SEARCHED = 1_000
SPLIT_SEED = 0


@dataclass(frozen=True)
class Part:
    """Samples as a job takes them. labels: None where there are none."""

    inputs: Mapping[str, str]
    labels: Array | None
    count: int


@dataclass(frozen=True)
class Samples:
    """search: those that the search sees. judging: those that it does not."""

    search: Part
    judging: Part


def split_for_search(dataset: Dataset, folder: Path, leave_out: frozenset[int]) -> Samples:
    """Write the samples of a dataset in two parts, drawn by a fixed seed.

    leave_out: the numbers of those that calibrate. Raises DataError where fewer than LEAST are
    left, or all labels are the same.
    """
    spooled = spool(dataset, folder / "all")
    numbers = np.asarray([n for n in range(spooled.count) if n not in leave_out])
    if len(numbers) < LEAST:
        besides = " besides those that calibrate" if leave_out else ""
        raise DataError(
            f"{dataset.name} has {len(numbers)} samples{besides}, and a search needs at least "
            f"{LEAST}: one part is searched with, the other judges. Give more with --data."
        )
    labels = None if spooled.labels is None else np.load(spooled.labels)
    if labels is not None and labels.dtype.kind in "iub" and len(np.unique(labels[numbers])) == 1:
        raise DataError(
            f"{dataset.name}: all {len(numbers)} labels are {labels[numbers[0]]}. What always "
            "gives that answer would lose nothing; give samples of all classes."
        )
    order = np.random.default_rng(SPLIT_SEED).permutation(numbers)
    count = min(MOST_SEARCHED, max(LEAST // 2, len(order) // SEARCH_SHARE))
    return Samples(
        _written(spooled.inputs, labels, np.sort(order[:count]), folder / "search"),
        _written(spooled.inputs, labels, np.sort(order[count:]), folder / "judging"),
    )


def _written(files: Mapping[str, Path], labels: Array | None, numbers: Array, folder: Path) -> Part:
    inputs = {}
    for place, (name, file) in enumerate(files.items()):
        inputs[name] = str((folder / f"input{place}.npy").resolve())
        write_npy(Path(inputs[name]), np.load(file, mmap_mode="r")[numbers])
    return Part(inputs, None if labels is None else labels[numbers], len(numbers))
