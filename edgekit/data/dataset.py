"""A dataset: samples of any origin, checked against the model's inputs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from edgekit.data.checks import check_label, check_shape, check_values, ready_array
from edgekit.data.orders import in_bundle_order
from edgekit_runtimes.errors import DataError, UsageError
from edgekit_runtimes.reordered import Axes
from edgekit_runtimes.tensors import (
    Array,
    Arrays,
    Preprocessing,
    TensorSpec,
    is_batched,
    sample_shape,
)

Part = Literal["calibration", "evaluation"]

# Which samples represent all of them is drawn with this seed: the same ones every time.
CHOICE_SEED = 0


@dataclass(frozen=True)
class DataOptions:
    """What the user says about the samples: --resize, --scale, --mean and --std.

    resize: (height, width) of images.
    mean, std: one number, or one per channel, in units of the scaled values.
    """

    resize: tuple[int, int] | None = None
    scale: float = 1.0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()


@dataclass(frozen=True)
class Sample:
    """One sample by input name, without batch axis, in the user's own dtype; and its label."""

    arrays: Arrays
    label: Array | None = None


class Reader(Protocol):
    """Where samples come from.

    name: what messages call it.
    length: None if it is only known at the end.
    resize: (height, width) that images are brought to while they are read.
    class_names: the name of each label, where the origin knows them.
    notes: what was done automatically that the user should know.
    """

    name: str
    length: int | None
    resize: tuple[int, int] | None
    class_names: tuple[str, ...]
    notes: tuple[str, ...]

    def read(self, chosen: Sequence[int] | None) -> Iterator[tuple[int, Sample]]:
        """Yield (number, sample) of the samples `chosen` (ascending numbers; None: all)."""
        ...


class Dataset:
    """Samples that fit a model's inputs. Iterate over it as often as you like.

    Each sample is checked when it is read: DataError names the file, the sample and the input
    where shape, dtype, values or label are wrong.
    """

    def __init__(
        self,
        reader: Reader,
        inputs: Sequence[TensorSpec],
        options: DataOptions,
        axes: Axes | None = None,
    ) -> None:
        """Read and check the first sample. Raises DataError if there is none.

        axes: the source's order of axes of the inputs that samples may have in that order, too.
        """
        _check_options(options, inputs)
        self.name = reader.name
        self.inputs = tuple(inputs)
        self.batched = is_batched(inputs)
        self.length = reader.length
        self.class_names = reader.class_names
        self.notes = reader.notes
        self.preprocessing = Preprocessing(
            scale=options.scale, mean=options.mean, std=options.std, resize=reader.resize
        )
        self._reader = reader
        skipped = 1 if self.batched else 0
        self._axes = {
            name: tuple(axis - skipped for axis in order[skipped:])
            for name, order in (axes or {}).items()
        }
        first = next(self._checked(None), None)
        if first is None:
            raise DataError(f"{self.name} holds no samples; at least one is needed.")
        sample = first[0]
        self.labelled = sample.label is not None
        self.sample_bytes = sum(array.nbytes for array in sample.arrays.values())

    def __iter__(self) -> Iterator[Sample]:
        return self.take(None)

    def take(self, limit: int | None) -> Iterator[Sample]:
        """Yield at most `limit` samples before preprocessing (None: all).

        Where the length is known they are drawn from the whole of it, in their order: the first
        ones of data that is sorted by class would all be of one class.
        """
        return (sample for sample, _ in self._labels_checked(self._drawn(limit), limit))

    def numbers(self, limit: int) -> list[int]:
        """Return the numbers of the samples that `take(limit)` yields.

        Where the length is not known, the samples are read and counted.
        """
        if self.length is None:
            entries = itertools.islice(self._reader.read(None), limit)
            return [number for number, _ in entries]
        return self._drawn(limit) or list(range(self.length))

    def pick(self, numbers: Sequence[int]) -> Iterator[Sample]:
        """Yield the samples with these ascending numbers, before preprocessing."""
        return (sample for sample, _ in self._labels_checked(numbers, len(numbers)))

    def model_inputs(
        self, limit: int | None = None, numbers: Sequence[int] | None = None
    ) -> Iterator[Arrays]:
        """Yield samples preprocessed, cast and with a batch axis of 1.

        They are those of `pick(numbers)`, or of `take(limit)` where no numbers are given.
        """
        if numbers is None:
            numbers = self._drawn(limit)
        else:
            limit = len(numbers)
        for _, ready in self._labels_checked(numbers, limit):
            yield {name: array[None] for name, array in ready.items()} if self.batched else ready

    def _drawn(self, limit: int | None) -> list[int] | None:
        """Return which samples represent all of them; None for the first ones, or all."""
        if limit is None or self.length is None or limit >= self.length:
            return None
        generator = np.random.default_rng(CHOICE_SEED)
        drawn: list[int] = np.sort(generator.choice(self.length, limit, replace=False)).tolist()
        return drawn

    def _labels_checked(
        self, chosen: Sequence[int] | None, limit: int | None
    ) -> Iterator[tuple[Sample, Arrays]]:
        for pair in self._checked(chosen, limit):
            if (pair[0].label is not None) != self.labelled:
                raise DataError(
                    f"{self.name} labels some samples and not others. Label all of them or none."
                )
            yield pair

    def _checked(
        self, chosen: Sequence[int] | None, limit: int | None = None
    ) -> Iterator[tuple[Sample, Arrays]]:
        """Yield samples with what the model takes of them."""
        for number, sample in itertools.islice(self._read(chosen), limit):
            ready = {}
            arrays = dict(sample.arrays)
            for spec in self.inputs:
                where = f"{self.name}: sample {number}, input '{spec.name}'"
                wanted = sample_shape(spec, self.batched)
                array = arrays[spec.name]
                if spec.name in self._axes:
                    array = in_bundle_order(where, array, wanted, self._axes[spec.name])
                    arrays[spec.name] = array
                check_shape(where, array.shape, wanted, stacked=False)
                ready[spec.name] = ready_array(where, array, spec.dtype, self.preprocessing)
                check_values(where, array, ready[spec.name])
            if sample.label is not None:
                check_label(f"{self.name}: sample {number}", sample.label)
            yield Sample(arrays, sample.label), ready

    def _read(self, chosen: Sequence[int] | None) -> Iterator[tuple[int, Sample]]:
        """Read samples; of a reader without a length those that are not chosen are passed over."""
        if chosen is None or self.length is not None:
            return self._reader.read(chosen)
        wanted = frozenset(chosen)
        return (entry for entry in self._reader.read(None) if entry[0] in wanted)


def _check_options(options: DataOptions, inputs: Sequence[TensorSpec]) -> None:
    if not math.isfinite(options.scale) or options.scale == 0:
        raise UsageError(
            f"--scale {options.scale} is not a factor to multiply values by; 1/255 is 0.00392157."
        )
    if 0 in options.std:
        raise UsageError("--std holds 0, and values are divided by it. Give other numbers.")
    used = [
        option
        for option, is_used in (
            ("--scale", options.scale != 1),
            ("--mean", bool(options.mean)),
            ("--std", bool(options.std)),
        )
        if is_used
    ]
    for spec in inputs:
        if used and np.dtype(spec.dtype).kind != "f":
            raise UsageError(
                f"{', '.join(used)} would make real numbers, and the model takes {spec}. "
                "Leave them out: the model does its own scaling."
            )
        channels = spec.shape[-1] if spec.shape else 1
        for option, values in (("--mean", options.mean), ("--std", options.std)):
            if len(values) > 1 and channels not in (None, len(values)):
                raise UsageError(
                    f"{option} has {len(values)} numbers, and the model takes {spec}. "
                    f"Give one number, or {channels}."
                )
