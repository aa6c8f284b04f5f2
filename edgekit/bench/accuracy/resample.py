"""The bootstrap: how far a figure might be off, by working it out on samples drawn again.

The draws depend on the number of samples alone. Two models that were judged on the same samples
are therefore judged on the same draws, and the differences of their figures, draw by draw, are the
*paired* bootstrap. So a model's figures on the draws are all that must be kept of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from edgekit.results.statistics import student_975
from edgekit_runtimes.tensors import Array

# The ends of the interval are then the 25th value from either side, and move by a few percent of
# its width from seed to seed.
RESAMPLES = 1_000
SEED = 20_261_121
# This many sample numbers are held at a time: 8 MB.
CHUNK = 1_000_000
# Fewer samples than this draw too few different sets to say anything.
MIN_SAMPLES = 20


def draws(samples: int) -> Iterator[Array]:
    """Yield RESAMPLES draws as int64 arrays [some, samples]: numbers of samples, with repeats."""
    generator = np.random.default_rng(SEED)
    at_once = max(1, CHUNK // samples)
    for start in range(0, RESAMPLES, at_once):
        yield generator.integers(0, samples, (min(at_once, RESAMPLES - start), samples))


def resampled_mean(values: Array) -> Array:
    """Return the mean of `values` [n] on each draw: float64 [RESAMPLES]."""
    return np.concatenate([values[numbers].mean(axis=1) for numbers in draws(len(values))])


def resampled(figure: Callable[[Array], float], samples: int) -> Array:
    """Return what `figure` says about each draw, which it gets as an array of sample numbers."""
    return np.array([figure(numbers) for chunk in draws(samples) for numbers in chunk])


def interval(figures: Array, samples: int) -> tuple[float | None, float | None]:
    """Return the 95 % interval of a figure, given its values on the draws.

    It is the percentile interval, expanded for small samples (Hesterberg, "What Teachers Should
    Know About the Bootstrap", The American Statistician 69, 2015). None if there are too few
    samples, or where the figure cannot be told on a draw.
    """
    if samples < MIN_SAMPLES or not np.isfinite(figures).all():
        return None, None
    z = math.sqrt(samples / (samples - 1)) * student_975(samples - 1)
    tail = math.erfc(z / math.sqrt(2)) / 2
    low, high = np.quantile(figures, (tail, 1 - tail))
    return float(low), float(high)
