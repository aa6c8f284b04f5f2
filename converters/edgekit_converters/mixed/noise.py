"""How much of the outputs' power is error: the measure by which everything here is chosen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from edgekit_converters.effort import Effort
from edgekit_converters.mixed.net import Simulated
from edgekit_runtimes.tensors import Array, Arrays

# How many samples rank the tensors: multiply-accumulates that all runs may have together (some
# seconds on MobileNetV3Small by default, half a minute on EfficientNetB0), and numbers.
RANKING_MACS: Mapping[Effort, int] = {"low": 0, "default": 30 * 10**9, "high": 2000 * 10**9}
MOST_RANKING: Mapping[Effort, int] = {"low": 1, "default": 8, "high": 32}
LEAST_RANKING = 2


class Noise:
    """Error and signal of each output, summed over samples."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, float]] = {}

    def add(self, expected: Mapping[str, Array], found: Mapping[str, Array]) -> None:
        """Take in one sample's outputs. Integers and truth values are the same or not."""
        for name, array in expected.items():
            error, power = self._sums.get(name, (0.0, 0.0))
            one, two = array.astype(np.float64).ravel(), found[name].astype(np.float64).ravel()
            if array.dtype.kind != "f":
                one, two = np.ones_like(one), (one == two).astype(np.float64)
            # What is no number in the original says nothing; in the artifact it is all error.
            fine = np.isfinite(one)
            one, two = one[fine], two[fine]
            difference = one - two
            error += float(difference @ difference) if np.isfinite(two).all() else math.inf
            self._sums[name] = error, power + float(one @ one)

    @property
    def share(self) -> float:
        """The error's power over the signal's, of the worst output."""
        return max((error / power if power else 0.0 for error, power in self._sums.values()))

    @property
    def sqnr_db(self) -> float:
        """The same in decibels."""
        return to_db(self.share)


def to_db(share: float) -> float:
    """Return the SQNR where the error has this share of the signal's power."""
    if share <= 0:
        return math.inf
    return -10 * math.log10(share) if math.isfinite(share) else -math.inf


def noise_between(expected: Iterable[Arrays], found: Iterable[Arrays]) -> Noise:
    """Return the noise of outputs, sample by sample."""
    noise = Noise()
    for one, two in zip(expected, found, strict=True):
        noise.add(one, two)
    return noise


def noise_of_tensors(
    simulated: Simulated, samples: Sequence[Arrays], effort: Effort
) -> dict[str, float]:
    """Return the share of error that rounding each tensor alone puts into the outputs.

    Leaving one alone in float says nothing about it: Spearman -.25 to -.02 with what it does,
    where this has .94 and more. Of large nets fewer samples are used: never by the clock, so that
    the same artifact comes out again.
    """
    of_one = max(1, simulated.net.macs * len(simulated.net.rounded))
    affordable = max(LEAST_RANKING, RANKING_MACS[effort] // of_one)
    samples = samples[:: -(-len(samples) // min(affordable, MOST_RANKING[effort]))]
    found = {name: Noise() for name in simulated.net.rounded}
    for sample in samples:
        plain = simulated.run(sample, frozenset())
        for name, noise in found.items():
            noise.add(plain, simulated.run(sample, frozenset({name})))
    return {name: noise.share for name, noise in found.items()}
