"""Calibration: samples from which a quantizer learns the ranges of activations.

Each quantizer takes them in its own form; these are the adapters. None of them holds more
than one sample at a time.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from edgekit_runtimes.reordered import Axes, ordered
from edgekit_runtimes.tensors import Arrays

# Ranges hardly move after a few hundred samples, and each one is an inference of the float model.
# 300 is also the default of NNCF (subset_size of nncf.quantize).
CALIBRATION_SAMPLES = 300

# Static int8 of three nets (causal convolutions on noise, depthwise ones on smooth spectra, dense
# layers on values of a long tail), judged on 1,000 new samples: in TFLite 34.0, 33.8 and 22.6 dB
# after 300 samples, 34.3, 33.7 and 21.3 after 128, 34.4, 30.7 and 20.0 after 64, 34.3, 18.1 and
# 11.5 after 16. Values beyond those seen are cut off.
FEW_SAMPLES = 100
FEW_SAMPLES_COST = (
    "on new samples, int8 of nets that were measured lost up to 3 dB with 64 instead of "
    f"{CALIBRATION_SAMPLES}, and up to 16 dB with 16"
)

# Of what is tried, that is kept which does best on samples that no range was learned from: at most
# so many, one in so many. They are not the golden ones either, on which fidelity is reported: the
# best of several, judged by what chose it, looks better than it is.
MOST_CHOOSING = 32
CHOOSING_SHARE = 8
# Fewer would choose by chance, and of fewer samples than this, ranges need each one.
LEAST_CHOOSING = 8
LEAST_TO_CHOOSE_FROM = 32


@dataclass(frozen=True)
class Calibration:
    """Samples as the model takes them, with a batch axis of 1. Iterate as often as you like.

    samples: called for each pass; no more than CALIBRATION_SAMPLES of a pass are used.
    count: how many there are; None where nobody has counted.
    """

    samples: Callable[[], Iterator[Arrays]]
    count: int | None = None

    def reordered(self, axes: Axes) -> Calibration:
        """Return the same samples in an artifact's order of axes."""
        if not axes:
            return self
        return Calibration(lambda: (ordered(sample, axes) for sample in self.samples()), self.count)

    def __iter__(self) -> Iterator[Arrays]:
        return itertools.islice(self.samples(), CALIBRATION_SAMPLES)

    @property
    def choosing(self) -> Calibration | None:
        """The samples that choose among what is tried; None where there are too few."""
        return self._part(chooses=True) if self._every else None

    @property
    def fitting(self) -> Calibration:
        """The samples whose ranges count while something is being chosen: all others."""
        return self._part(chooses=False) if self._every else self

    @functools.cached_property
    def _every(self) -> int:
        """Which samples choose: each of this number; 0 for none."""
        count = sum(1 for _ in self) if self.count is None else self.count
        count = min(count, CALIBRATION_SAMPLES)
        if count < LEAST_TO_CHOOSE_FROM:
            return 0
        chosen = max(LEAST_CHOOSING, min(MOST_CHOOSING, count // CHOOSING_SHARE))
        return count // chosen

    def _part(self, chooses: bool) -> Calibration:
        every, samples = self._every, self.__iter__

        def part() -> Iterator[Arrays]:
            # The last of each run, so that the first run is as long as the others.
            return (
                sample
                for number, sample in enumerate(samples(), 1)
                if (number % every == 0) == chooses
            )

        return Calibration(part)


def for_litert(calibration: Calibration, signature: str) -> dict[str, Iterable[Arrays]]:
    """Return what `litert_quantizer.Quantizer.calibrate` takes. Two passes are made over it."""
    return {signature: _OneAtATime(calibration)}


class _OneAtATime:
    """Samples in one dict that is filled again for each.

    The LiteRT quantizer 0.11 counts samples by len(list(...)) before it uses them
    (Calibrator._get_total_operations). Of arrays, that list would hold them all; a generator it
    would use up, and nothing would be calibrated. Of this, it holds one dict many times.
    """

    def __init__(self, calibration: Calibration) -> None:
        self._calibration = calibration

    def __iter__(self) -> Iterator[Arrays]:
        sample: Arrays = {}
        for arrays in self._calibration:
            sample.clear()
            sample.update(arrays)
            yield sample
