"""The user's own metric: `--metric module:function`.

    def iou(outputs, labels):
        "outputs: array [n, …] of the output, labels: array [n, …] as they are stored."
        return one number per sample (shape [n]), or one number for all of them

One number per sample is the better form. The metric is their mean, worked out while the outputs
arrive, and only the numbers are kept. A function that returns one number for all samples (an F1
score, an area under a curve) is called once with everything, the outputs being kept in a file
meanwhile, and `RESAMPLES` times more for its interval: each call with as many samples, drawn again.

Higher is better, except if the function's name ends in _error, _loss or _distance: scikit-learn's
rule for the names of its own metrics.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit.data.function import import_function
from edgekit.results.figures.difference import is_higher_better
from edgekit_runtimes.errors import DataError, UsageError, first_line
from edgekit_runtimes.tensors import Array

# This many labels, spread over all of them, are enough to see whether the function works.
TRIAL_SAMPLES = 1_000


@dataclass(frozen=True)
class Metric:
    """A function that judges outputs by labels. name: "module:function"."""

    name: str
    function: Callable[[Array, Array], Any]

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher value is a better one."""
        return is_higher_better(self.name)

    def __call__(self, outputs: Array, labels: Array) -> Array:
        """Return float64 numbers: of shape (n,), one per sample, or of shape (), one for all.

        Raises DataError, naming the function, if it raises or returns something else.
        """
        try:
            result = self.function(outputs, labels)
        except Exception as error:
            raise DataError(
                f"{self.name} failed: {type(error).__name__}: {first_line(error)}"
            ) from error
        try:
            values = np.asarray(result, np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{self.name} returned a {type(result).__name__}. {self._expected(len(outputs))}"
            ) from error
        if values.shape not in ((), (len(outputs),)):
            raise DataError(
                f"{self.name} returned an array of shape {list(values.shape)}. "
                f"{self._expected(len(outputs))}"
            )
        return values

    def try_out(self, outputs: Array, labels: Array) -> None:
        """Call the function before anything is measured: a mistake in it must not cost minutes.

        outputs: of any samples, so that the value means nothing. Raises DataError.
        """
        count = min(len(labels), TRIAL_SAMPLES)
        spread = np.linspace(0, len(labels) - 1, count).astype(np.int64)
        self(outputs[np.arange(count) % len(outputs)], np.asarray(labels[spread]))

    def _expected(self, samples: int) -> str:
        return f"Return one number per sample (here {samples}), or one number for all of them."


def open_metric(metric: str | Callable[[Array, Array], Any]) -> Metric:
    """Return the metric that a function is, or that "module:function" names.

    Raises UsageError if that is not what the words say, DataError if it cannot be imported.
    """
    if not isinstance(metric, str):
        return Metric(f"{metric.__module__}:{getattr(metric, '__name__', 'metric')}", metric)
    text = metric
    if not re.fullmatch(r"[^\W\d][\w.]*:[^\W\d]\w*", text):
        raise UsageError(f"--metric {text} is not understood. Write it as module:function.")
    return Metric(text, import_function(text))
