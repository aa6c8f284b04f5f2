"""Fidelity: how far an artifact's outputs agree with the original's on the same samples.

Outputs arrive in pieces, and only sums and the level of each sample are kept.

    top1            share of positions where both put the same class first
    cosine          of the two outputs, all samples in one vector
    sqnr_db         power of the original's output over the power of the error, in dB
    sqnr_p5_db      the same for each sample by itself: 95 % of the samples have more
    max_abs_error   the largest difference of two elements

A few samples can hold two thirds of the error's power, and no other figure says whether they do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from msgspec import Meta

from edgekit.forms import AtLeastOne, Count, Level, Share, keep_levels
from edgekit_runtimes.errors import ArtifactError
from edgekit_runtimes.tensors import Array

# Which share of the samples may have less than `sqnr_p5_db`.
LOW_SHARE = 0.05

Cosine = Annotated[float, Meta(ge=-1, le=1)]

# The error has a hundredth of the signal's power: good enough to be recommended.
GOOD_SQNR_DB = 20.0


@dataclass(frozen=True)
class OutputFidelity:
    """Agreement of one output.

    top1: None if the output has no class axis (last axis of two or more, floats).
    sqnr_db: inf where there is no error at all; -inf where the original's output is all zero.
    nan: elements that are NaN or infinite where the original's are not. With one of them cosine
    is 0, sqnr_db -inf and max_abs_error inf, so that no budget holds by accident.
    original_nan: elements that are NaN or infinite in the original itself; left out.
    sqnr_p5_db: None in files of an edgekit that did not know it.
    """

    samples: AtLeastOne
    top1: Share | None
    cosine: Cosine
    sqnr_db: Level
    max_abs_error: Level
    nan: Count = 0
    original_nan: Count = 0
    sqnr_p5_db: Level | None = None

    def __post_init__(self) -> None:
        keep_levels(self, "sqnr_db", "max_abs_error")
        if self.sqnr_p5_db is not None:
            keep_levels(self, "sqnr_p5_db")


@dataclass(frozen=True)
class WorstFidelity:
    """The worst of each figure over the outputs; nan is their sum."""

    top1: Share | None
    cosine: Cosine
    sqnr_db: Level
    max_abs_error: Level
    nan: Count
    sqnr_p5_db: Level | None = None

    def __post_init__(self) -> None:
        keep_levels(self, "sqnr_db", "max_abs_error")
        if self.sqnr_p5_db is not None:
            keep_levels(self, "sqnr_p5_db")


@dataclass(frozen=True)
class Fidelity:
    """Agreement of all outputs; its own figures are those of the worst output.

    worst: these figures, for readers of the JSON form; always worked out again.
    """

    outputs: Annotated[Mapping[str, OutputFidelity], Meta(min_length=1)]
    worst: WorstFidelity = field(init=False, repr=False)

    def __post_init__(self) -> None:
        outputs = self.outputs.values()
        worst = WorstFidelity(
            top1=min((one.top1 for one in outputs if one.top1 is not None), default=None),
            cosine=min(one.cosine for one in outputs),
            sqnr_db=min(one.sqnr_db for one in outputs),
            max_abs_error=max(one.max_abs_error for one in outputs),
            nan=sum(one.nan for one in outputs),
            sqnr_p5_db=min(
                (one.sqnr_p5_db for one in outputs if one.sqnr_p5_db is not None), default=None
            ),
        )
        object.__setattr__(self, "worst", worst)

    @property
    def samples(self) -> int:
        """On how many samples it was judged."""
        return max(output.samples for output in self.outputs.values())

    @property
    def top1(self) -> float | None:
        """The lowest top-1 agreement of the outputs that have one."""
        return self.worst.top1

    @property
    def cosine(self) -> float:
        """The lowest cosine."""
        return self.worst.cosine

    @property
    def sqnr_db(self) -> float:
        """The lowest SQNR in dB."""
        return self.worst.sqnr_db

    @property
    def sqnr_p5_db(self) -> float | None:
        """The lowest 5th percentile of the samples' SQNR in dB; None in older files."""
        return self.worst.sqnr_p5_db

    @property
    def max_abs_error(self) -> float:
        """The largest absolute error."""
        return self.worst.max_abs_error

    @property
    def nan(self) -> int:
        """How many elements are NaN or infinite where the original's are not."""
        return self.worst.nan


class FidelityAccumulator:
    """Compares outputs with the original's as they arrive.

    original: the original's outputs, samples along the first axis.

    Example:
        >>> accumulator = FidelityAccumulator({"y": np.array([[1.0, 2.0], [4.0, 3.0]])})
        >>> accumulator.add(0, {"y": np.array([[1.0, 2.0], [2.0, 3.0]])})
        >>> accumulator.result().top1
        0.5
    """

    def __init__(self, original: Mapping[str, Array]) -> None:
        self._sums = {name: _OutputSums(name, array) for name, array in original.items()}

    def add(self, start: int, outputs: Mapping[str, Array]) -> None:
        """Take in the outputs of the samples from number `start` on.

        Raises ArtifactError if an output is missing or has another shape than the original's.
        """
        for name, sums in self._sums.items():
            if name not in outputs:
                raise ArtifactError(
                    f"the artifact has no output '{name}'; it has {', '.join(outputs) or 'none'}"
                )
            sums.add(start, outputs[name])

    def result(self) -> Fidelity:
        """Return the fidelity over the samples so far. Raises ValueError if there are none."""
        return Fidelity({name: sums.result() for name, sums in self._sums.items()})


class _OutputSums:
    """The running sums of one output."""

    def __init__(self, name: str, original: Array) -> None:
        self.name = name
        self.original = original
        self.has_classes = (
            original.dtype.kind == "f" and original.ndim > 1 and original.shape[-1] >= 2
        )
        self.samples = 0
        self.positions = self.agreeing = 0
        self.dot = self.original_power = self.artifact_power = self.error_power = 0.0
        self.max_abs_error = 0.0
        self.nan = self.original_nan = 0
        self.levels: list[float] = []

    def add(self, start: int, output: Array) -> None:
        expected = self.original[start : start + len(output)].astype(np.float64)
        if expected.shape != output.shape:
            raise ArtifactError(
                f"output '{self.name}' has shape {list(output.shape)} and the original's has "
                f"{list(expected.shape)}"
            )
        actual = output.astype(np.float64)
        self.samples += len(actual)
        expected_fine, actual_fine = np.isfinite(expected), np.isfinite(actual)
        self.original_nan += int((~expected_fine).sum())
        self.nan += int((expected_fine & ~actual_fine).sum())
        if self.has_classes:
            self._add_top1(expected, actual)
        self.levels += map(_level_of_sample, expected, actual)
        fine = expected_fine & actual_fine
        expected, actual = expected[fine], actual[fine]
        error = actual - expected
        self.dot += float(expected @ actual)
        self.original_power += float(expected @ expected)
        self.artifact_power += float(actual @ actual)
        self.error_power += float(error @ error)
        self.max_abs_error = max(self.max_abs_error, float(np.abs(error).max(initial=0.0)))

    def _add_top1(self, expected: Array, actual: Array) -> None:
        fine = np.isfinite(expected).all(axis=-1) & np.isfinite(actual).all(axis=-1)
        same = expected.argmax(axis=-1) == actual.argmax(axis=-1)
        self.positions += same.size
        self.agreeing += int((same & fine).sum())

    def result(self) -> OutputFidelity:
        if self.samples == 0:
            raise ValueError(f"no outputs of '{self.name}' to judge")
        return OutputFidelity(
            samples=self.samples,
            top1=self.agreeing / self.positions if self.positions else None,
            cosine=self._cosine(),
            sqnr_db=self._sqnr_db(),
            max_abs_error=math.inf if self.nan else self.max_abs_error,
            nan=self.nan,
            original_nan=self.original_nan,
            sqnr_p5_db=sorted(self.levels)[int(LOW_SHARE * (self.samples - 1))],
        )

    def _cosine(self) -> float:
        if self.nan:
            return 0.0
        norms = math.sqrt(self.original_power) * math.sqrt(self.artifact_power)
        if norms > 0:
            return max(-1.0, min(1.0, self.dot / norms))
        # Two zero vectors are the same; one alone has no direction to share.
        return 1.0 if self.original_power == self.artifact_power else 0.0

    def _sqnr_db(self) -> float:
        return -math.inf if self.nan else _level(self.original_power, self.error_power)


def _level_of_sample(expected: Array, actual: Array) -> float:
    """Return the SQNR of one sample in dB."""
    fine = np.isfinite(expected)
    expected, actual = expected[fine], actual[fine]
    if not np.isfinite(actual).all():
        return -math.inf
    error = actual - expected
    return _level(float(expected @ expected), float(error @ error))


def _level(power: float, error_power: float) -> float:
    if error_power == 0:
        return math.inf
    return 10 * math.log10(power / error_power) if power else -math.inf
