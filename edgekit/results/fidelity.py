"""Fidelity: how far an artifact's outputs agree with the original's on the same samples.

Outputs arrive in pieces and only sums are kept.

    top1            share of positions where both put the same class first
    cosine          of the two outputs, all samples in one vector
    sqnr_db         power of the original's output over the power of the error, in dB
    max_abs_error   the largest difference of two elements
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit_runtimes.errors import ArtifactError
from edgekit_runtimes.tensors import Array


@dataclass(frozen=True)
class OutputFidelity:
    """Agreement of one output.

    top1: None where the output has no class axis (last axis of two or more, floats).
    sqnr_db: inf where there is no error at all; -inf where the original's output is all zero.
    nan: elements that are NaN or infinite where the original's are not. With one of them cosine
    is 0, sqnr_db -inf and max_abs_error inf, so that no budget is met by accident.
    original_nan: elements that are NaN or infinite in the original itself; left out.
    """

    samples: int
    top1: float | None
    cosine: float
    sqnr_db: float
    max_abs_error: float
    nan: int = 0
    original_nan: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form; infinite values are the strings "inf" and "-inf"."""
        return {
            "samples": self.samples,
            "top1": self.top1,
            "cosine": self.cosine,
            "sqnr_db": _finite_or_text(self.sqnr_db),
            "max_abs_error": _finite_or_text(self.max_abs_error),
            "nan": self.nan,
            "original_nan": self.original_nan,
        }

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> OutputFidelity:
        """Return the fidelity whose JSON form is given."""
        infinite = {key: float(form[key]) for key in ("sqnr_db", "max_abs_error")}
        return cls(**{**form, **infinite})


@dataclass(frozen=True)
class Fidelity:
    """Agreement of all outputs; its own figures are those of the worst output."""

    outputs: Mapping[str, OutputFidelity]

    @property
    def top1(self) -> float | None:
        """The lowest top-1 agreement of the outputs that have one."""
        shares = [output.top1 for output in self.outputs.values() if output.top1 is not None]
        return min(shares, default=None)

    @property
    def samples(self) -> int:
        """On how many samples it was judged."""
        return max(output.samples for output in self.outputs.values())

    @property
    def cosine(self) -> float:
        """The lowest cosine."""
        return min(output.cosine for output in self.outputs.values())

    @property
    def sqnr_db(self) -> float:
        """The lowest SQNR in dB."""
        return min(output.sqnr_db for output in self.outputs.values())

    @property
    def max_abs_error(self) -> float:
        """The largest absolute error."""
        return max(output.max_abs_error for output in self.outputs.values())

    @property
    def nan(self) -> int:
        """How many elements are NaN or infinite where the original's are not."""
        return sum(output.nan for output in self.outputs.values())

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form: each output, and the worst of each figure."""
        return {
            "outputs": {name: output.to_json() for name, output in self.outputs.items()},
            "worst": {
                "top1": self.top1,
                "cosine": self.cosine,
                "sqnr_db": _finite_or_text(self.sqnr_db),
                "max_abs_error": _finite_or_text(self.max_abs_error),
                "nan": self.nan,
            },
        }

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Fidelity:
        """Return the fidelity whose JSON form is given."""
        return cls(
            {name: OutputFidelity.from_json(output) for name, output in form["outputs"].items()}
        )


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

        Raises ArtifactError where an output is missing or has another shape than the original's.
        """
        for name, sums in self._sums.items():
            if name not in outputs:
                raise ArtifactError(
                    f"the artifact has no output '{name}'; it has {', '.join(outputs) or 'none'}"
                )
            sums.add(start, outputs[name])

    def result(self) -> Fidelity:
        """Return the fidelity over the samples so far. Raises ValueError where there are none."""
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
        if self.nan:
            return -math.inf
        if self.error_power == 0:
            return math.inf
        if self.original_power == 0:
            return -math.inf
        return 10 * math.log10(self.original_power / self.error_power)


def _finite_or_text(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)
