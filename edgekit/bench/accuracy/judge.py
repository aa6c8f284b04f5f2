"""Judges: outputs go in as they arrive; accuracy, and what it is compared by, come out.

Nothing is kept except one bit or number per sample; only a metric that takes all outputs at once
has them kept, in a file.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from edgekit.bench.accuracy import resample
from edgekit.bench.accuracy.labels import LabelledOutput
from edgekit.bench.accuracy.metric import Metric
from edgekit.results.accuracy import Accuracy, Score, wilson_interval
from edgekit_runtimes.errors import DataError
from edgekit_runtimes.tensors import Array


@dataclass(frozen=True)
class Judgement:
    """A model's accuracy, and what another's is compared with.

    right: one bit per sample (`np.packbits`), set where it was right; for classification only.
    resampled: the value of each other score on the draws of `resample`.
    higher_is_better: of the scores.
    """

    accuracy: Accuracy
    right: Array | None = None
    resampled: Mapping[Score, Array] = field(default_factory=dict)
    higher_is_better: bool = True


class Judge(Protocol):
    """Judges one model's outputs."""

    def add(self, start: int, outputs: Mapping[str, Array]) -> None:
        """Take in the outputs of the samples from number `start` on."""

    def result(self) -> Judgement:
        """Return the judgement of all samples. Raises DataError if the metric fails."""


def open_judge(labelled: LabelledOutput) -> Judge:
    """Return the judge that the labels, or the metric, ask for."""
    if labelled.metric:
        return MetricJudge(labelled, labelled.metric)
    return ClassJudge(labelled) if labelled.is_classification else ErrorJudge(labelled)


class ClassJudge:
    """Top-1 accuracy."""

    def __init__(self, labelled: LabelledOutput) -> None:
        self._labelled = labelled
        self._right = np.zeros(len(labelled.labels), np.bool_)
        self._nan = 0

    def add(self, start: int, outputs: Mapping[str, Array]) -> None:
        """Take in the outputs of the samples from number `start` on."""
        scores, fine = _flat(outputs[self._labelled.name])
        labels = self._labelled.labels[start : start + len(scores)]
        self._right[start : start + len(scores)] = (scores.argmax(axis=1) == labels) & fine
        self._nan += int((~fine).sum())

    def result(self) -> Judgement:
        """Return the judgement of all samples."""
        samples, correct = self._right.size, int(self._right.sum())
        low, high = wilson_interval(correct, samples)
        name, top1 = self._labelled.name, correct / samples
        accuracy = Accuracy(name, samples, top1, low, high, correct, nan=self._nan)
        return Judgement(accuracy, np.packbits(self._right))


class ErrorJudge:
    """MAE and RMSE."""

    def __init__(self, labelled: LabelledOutput) -> None:
        self._labelled = labelled
        # Mean over the elements of each sample.
        self._absolute, self._squared = np.zeros((2, len(labelled.labels)))
        self._nan = 0

    def add(self, start: int, outputs: Mapping[str, Array]) -> None:
        """Take in the outputs of the samples from number `start` on."""
        values, fine = _flat(outputs[self._labelled.name])
        place = slice(start, start + len(values))
        labels = self._labelled.labels[place].reshape(values.shape).astype(np.float64)
        errors = np.where(fine[:, None], values, np.nan) - labels
        self._absolute[place] = np.abs(errors).mean(axis=1)
        self._squared[place] = (errors**2).mean(axis=1)
        self._nan += int((~fine).sum())

    def result(self) -> Judgement:
        """Return the judgement of all samples."""
        name, samples = self._labelled.name, self._absolute.size
        if self._nan:
            accuracy = Accuracy(name, samples, nan=self._nan)
            unknown = np.full(resample.RESAMPLES, np.nan)
            return Judgement(accuracy, None, {"mae": unknown, "rmse": unknown}, False)
        resampled: dict[Score, Array] = {
            "mae": resample.resampled_mean(self._absolute),
            "rmse": np.sqrt(resample.resampled_mean(self._squared)),
        }
        low, high = resample.interval(resampled["mae"], samples)
        mae, rmse = float(self._absolute.mean()), math.sqrt(self._squared.mean())
        accuracy = Accuracy(name, samples, low=low, high=high, mae=mae, rmse=rmse)
        return Judgement(accuracy, None, resampled, False)


class MetricJudge:
    """The user's own metric.

    What it returns for the first outputs shows whether it judges sample by sample.
    """

    def __init__(self, labelled: LabelledOutput, metric: Metric) -> None:
        self._labelled = labelled
        self._metric = metric
        self._values = np.zeros(len(labelled.labels))
        self._nan = 0
        self._kept: Array | None = None

    def add(self, start: int, outputs: Mapping[str, Array]) -> None:
        """Take in the outputs of the samples from number `start` on. Raises DataError."""
        output = outputs[self._labelled.name]
        place = slice(start, start + len(output))
        self._nan += int((~_flat(output)[1]).sum())
        if self._kept is None:
            values = self._metric(output, np.asarray(self._labelled.labels[place]))
            if values.ndim:
                self._values[place] = values
                return
            if start:
                raise DataError(
                    f"{self._metric.name} returned one number for samples {start} to "
                    f"{place.stop - 1} and one per sample before. Return the same form always."
                )
            self._kept = self._file(output)
        self._kept[place] = output

    def result(self) -> Judgement:
        """Return the judgement of all samples. Raises DataError if the metric fails."""
        samples = self._values.size
        if self._kept is None:
            value = float(self._values.mean())
        else:
            value = self._of_all(np.arange(samples))
        if not math.isfinite(value):
            scores = np.full(resample.RESAMPLES, np.nan)
        elif self._kept is None:
            scores = resample.resampled_mean(self._values)
        else:
            scores = self._resampled(samples)
        low, high = resample.interval(scores, samples)
        accuracy = Accuracy(
            self._labelled.name,
            samples,
            low=low,
            high=high,
            nan=self._nan,
            metric=self._metric.name,
            value=value if math.isfinite(value) else None,
        )
        return Judgement(accuracy, None, {"metric": scores}, self._metric.higher_is_better)

    def _resampled(self, samples: int) -> Array:
        """Return the metric on each draw; all NaN where it cannot judge one of them.

        A draw may hold no sample of a rare class, and not every function takes that.
        """
        try:
            return resample.resampled(self._of_all, samples)
        except DataError:
            return np.full(resample.RESAMPLES, np.nan)

    def _of_all(self, numbers: Array) -> float:
        if self._kept is None:
            raise ValueError("no outputs were kept")
        result = self._metric(np.asarray(self._kept[numbers]), self._labelled.labels[numbers])
        if result.ndim:
            raise DataError(
                f"{self._metric.name} returned {result.size} numbers for {len(numbers)} samples "
                "and one for fewer. Return the same form always."
            )
        return float(result)

    def _file(self, output: Array) -> Array:
        """Return room for the outputs of all samples, in a file that is deleted automatically."""
        with tempfile.TemporaryFile() as file:
            return np.memmap(file, output.dtype, "w+", shape=(self._values.size, *output.shape[1:]))


def _flat(output: Array) -> tuple[Array, Array]:
    """Return the values as float64 [samples, values], and which samples are all finite."""
    flat = output.reshape(len(output), -1).astype(np.float64)
    return flat, np.asarray(np.isfinite(flat).all(axis=1))
