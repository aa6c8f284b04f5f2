"""Accuracy: what an artifact still gets right, judged by labels.

Integer labels mean classification (top-1 accuracy with its Wilson interval), float labels mean
regression (MAE and RMSE). Outputs arrive in pieces and only sums are kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgekit.bench.statistics import NORMAL_975
from edgekit_runtimes.errors import DataError, unknown_name
from edgekit_runtimes.tensors import Array


@dataclass(frozen=True)
class Accuracy:
    """What labels say about one output.

    top1, low, high, correct: share of samples whose first class is the label, its 95 % Wilson
    interval, and the count; None for regression.
    mae, rmse: mean absolute and root mean square error, over all samples and elements, in the
    labels' unit; None for classification, and where an output was NaN.
    nan: samples with an output that is NaN or infinite. In top1 they count as wrong.
    """

    output: str
    samples: int
    top1: float | None = None
    low: float | None = None
    high: float | None = None
    correct: int | None = None
    mae: float | None = None
    rmse: float | None = None
    nan: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Accuracy:
        """Return the accuracy whose JSON form is given."""
        return cls(**form)


@dataclass(frozen=True)
class LabelledOutput:
    """The output that the labels are about, checked.

    labels: int64 class numbers of shape (n,), or float64 of the output's shape.
    """

    name: str
    labels: Array

    @property
    def is_classification(self) -> bool:
        """Whether labels are class numbers."""
        return self.labels.dtype.kind == "i"


def labelled_output(
    labels: Array, samples: int, original: Mapping[str, Array], name: str | None = None
) -> LabelledOutput:
    """Check `labels` of `samples` samples against the original's outputs.

    original: outputs with samples along the first axis; only their shapes are looked at.
    name: the output that the labels are about; None is enough where there is only one.
    Raises DataError with the remedy where they do not fit.
    """
    if len(labels) != samples:
        raise DataError(
            f"There are {len(labels)} labels for {samples} samples. Give one label a sample."
        )
    if samples == 0:
        raise DataError("The labelled data has no samples.")
    if name is None and len(original) > 1:
        raise DataError(
            f"The model has {len(original)} outputs ({', '.join(original)}). "
            "Say which one the labels are about."
        )
    if name is not None and name not in original:
        raise unknown_name("output", name, original)
    name = name or next(iter(original))
    shape = original[name].shape[1:]
    if labels.dtype.kind in "iub":
        return LabelledOutput(name, _class_labels(labels, shape, name))
    if labels.dtype.kind == "f":
        return LabelledOutput(name, _value_labels(labels, shape, name))
    raise DataError(
        f"Labels are {labels.dtype.name}. Give integers (class numbers) or floats (values)."
    )


def _class_labels(labels: Array, shape: tuple[int, ...], name: str) -> Array:
    classes = shape[-1] if shape else 1
    if classes < 2 or math.prod(shape) != classes:
        raise DataError(
            f"Integer labels mean classes, but output '{name}' has shape {list(shape)} a sample, "
            "not one score a class. Give the labels as floats to have MAE and RMSE."
        )
    if labels.size != len(labels):
        raise DataError(
            f"Labels have shape {list(labels.shape)}. Give one class number a sample; "
            "of one-hot labels take the argmax."
        )
    numbers = labels.reshape(-1).astype(np.int64)
    outside = numbers[(numbers < 0) | (numbers >= classes)]
    if outside.size:
        raise DataError(
            f"Label {outside[0]} is outside the {classes} classes of output '{name}' "
            f"(0 to {classes - 1})."
        )
    return numbers


def _value_labels(labels: Array, shape: tuple[int, ...], name: str) -> Array:
    if labels.size != len(labels) * math.prod(shape):
        raise DataError(
            f"Labels have shape {list(labels.shape[1:])} a sample and output '{name}' has "
            f"{list(shape)}."
        )
    if not np.isfinite(labels).all():
        raise DataError("Labels hold NaN or infinite values.")
    return labels.reshape(len(labels), *shape).astype(np.float64)


class AccuracyAccumulator:
    """Judges outputs by labels as they arrive."""

    def __init__(self, labelled: LabelledOutput) -> None:
        self._labelled = labelled
        self._samples = self._correct = self._nan = 0
        self._absolute = self._squared = 0.0

    def add(self, start: int, outputs: Mapping[str, Array]) -> None:
        """Take in the outputs of the samples from number `start` on."""
        output = outputs[self._labelled.name]
        labels = self._labelled.labels[start : start + len(output)]
        flat = output.reshape(len(output), -1).astype(np.float64)
        fine = np.isfinite(flat).all(axis=1)
        self._samples += len(flat)
        self._nan += int((~fine).sum())
        if self._labelled.is_classification:
            self._correct += int(((flat.argmax(axis=1) == labels) & fine).sum())
        else:
            error = (flat - labels.reshape(len(labels), -1))[fine]
            self._absolute += float(np.abs(error).sum())
            self._squared += float((error**2).sum())

    def result(self) -> Accuracy:
        """Return the accuracy over the samples so far. Raises ValueError where there are none."""
        if self._samples == 0:
            raise ValueError(f"no outputs of '{self._labelled.name}' to judge")
        name, samples, nan = self._labelled.name, self._samples, self._nan
        if self._labelled.is_classification:
            low, high = wilson_interval(self._correct, samples)
            top1 = self._correct / samples
            return Accuracy(name, samples, top1, low, high, self._correct, nan=nan)
        if nan:
            return Accuracy(name, samples, nan=nan)
        elements = samples * self._labelled.labels[0].size
        mae = self._absolute / elements
        rmse = math.sqrt(self._squared / elements)
        return Accuracy(name, samples, mae=mae, rmse=rmse, nan=nan)


def wilson_interval(correct: int, samples: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927): sound near 0 and 1, and for few samples.

    Example:
        >>> low, high = wilson_interval(9, 10)
        >>> round(low, 3), round(high, 3)
        (0.596, 0.982)
    """
    z2 = NORMAL_975**2
    share = correct / samples
    center = (share + z2 / (2 * samples)) / (1 + z2 / samples)
    half = (
        NORMAL_975
        / (1 + z2 / samples)
        * math.sqrt(share * (1 - share) / samples + z2 / (4 * samples**2))
    )
    return max(0.0, center - half), min(1.0, center + half)
