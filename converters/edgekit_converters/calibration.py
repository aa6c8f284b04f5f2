"""Calibration: samples from which a quantizer learns the ranges of activations.

Each quantizer takes them in its own form; these are the adapters. None of them holds more
than one sample at a time.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from edgekit_runtimes.tensors import Arrays

# Ranges hardly move after a few hundred samples, and each one is an inference of the float model.
# 300 is also the default of NNCF (subset_size of nncf.quantize).
CALIBRATION_SAMPLES = 300

# With fewer, what was measured with more is lost: TODO
FEW_SAMPLES = 100
FEW_SAMPLES_COST = "values beyond what they showed are cut off"


@dataclass(frozen=True)
class Calibration:
    """Samples as the model takes them, with a batch axis of 1. Iterate as often as you like.

    samples: called for each pass; no more than CALIBRATION_SAMPLES of a pass are used.
    count: how many there are; None where nobody has counted.
    """

    samples: Callable[[], Iterator[Arrays]]
    count: int | None = None

    def __iter__(self) -> Iterator[Arrays]:
        return itertools.islice(self.samples(), CALIBRATION_SAMPLES)


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
