"""Labels: what the right answers are, checked against the model before anything is measured.

Integer labels mean classification, float labels mean regression. With the user's own metric they
mean whatever it takes them for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgekit.bench.accuracy.metric import Metric
from edgekit_runtimes.errors import DataError, unknown_name
from edgekit_runtimes.tensors import Array

CHECKED_AT_ONCE = 1_000


@dataclass(frozen=True)
class LabelledOutput:
    """The output that the labels are about, checked.

    labels: int64 class numbers of shape (n,); or floats of the output's shape, one entry per
    sample; or whatever the metric takes. They may be mapped from a file.
    metric: what judges instead of top-1 accuracy or MAE and RMSE.
    """

    name: str
    labels: Array
    metric: Metric | None = None

    @property
    def is_classification(self) -> bool:
        """Whether labels are class numbers."""
        return self.metric is None and self.labels.dtype.kind == "i"


def labelled_output(
    labels: Array,
    samples: int,
    original: Mapping[str, Array],
    name: str | None = None,
    metric: Metric | None = None,
) -> LabelledOutput:
    """Check `labels` of `samples` samples against the original's outputs.

    original: outputs with samples along the first axis, as many as there are golden samples.
    name: the output that the labels are about; None is enough where there is only one.
    Raises DataError with the remedy if they do not fit, or if the metric does not work.
    """
    if len(labels) != samples:
        raise DataError(
            f"There are {len(labels)} labels for {samples} samples. Give one label per sample."
        )
    if samples == 0:
        raise DataError("The labelled data has no samples.")
    if name is None and len(original) > 1:
        raise DataError(
            f"The model has {len(original)} outputs ({', '.join(original)}). "
            "Say which one the labels are about with --labels-of."
        )
    if name is not None and name not in original:
        raise unknown_name("output", name, original)
    name = name or next(iter(original))
    if metric is not None:
        metric.try_out(original[name], labels)
        return LabelledOutput(name, labels, metric)
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
            f"Integer labels mean classes, but output '{name}' has shape {list(shape)} per sample, "
            "not one score per class. Give the labels as floats to have MAE and RMSE, or name a "
            "function that judges them with --metric."
        )
    if labels.size != len(labels):
        raise DataError(
            f"Labels have shape {list(labels.shape)}. Give one class number per sample; "
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
            f"Labels have shape {list(labels.shape[1:])} per sample and output '{name}' has "
            f"{list(shape)}."
        )
    # In pieces: labels as large as images stay in their file.
    starts = range(0, len(labels), CHECKED_AT_ONCE)
    if not all(np.isfinite(labels[start : start + CHECKED_AT_ONCE]).all() for start in starts):
        raise DataError("Labels hold NaN or infinite values.")
    return labels.reshape(len(labels), *shape)
