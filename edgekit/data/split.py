"""Which samples calibrate, and which are held back to judge what was calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Of few samples calibration needs each one; of enough, at most a quarter is held back.
LARGEST_SHARE = 4
# SQNR on fewer is off by more than 3 dB too often to be worth the samples that it takes away.
LEAST_HELD_BACK = 8
SPLIT_SEED = 0


@dataclass(frozen=True)
class Split:
    """The numbers of samples, ascending.

    golden: those that fidelity is judged on. calibration: those that calibrate.
    held_back: whether calibration sees none of the golden ones.
    """

    golden: tuple[int, ...]
    calibration: tuple[int, ...]
    held_back: bool


def how_many_to_hold_back(total: int, golden: int) -> int:
    """Return how many of `total` samples may be held back, of at most `golden`; 0: too few."""
    count = min(golden, total // LARGEST_SHARE)
    return count if count >= min(LEAST_HELD_BACK, golden) else 0


def hold_back(numbers: Sequence[int], count: int) -> Split:
    """Hold back `count` samples, spread over all of them.

    One is drawn, by a fixed seed, from each of `count` runs of the same length: data sorted by
    class gives some of each class, and data in which the classes take turns does too.
    """
    generator = np.random.default_rng(SPLIT_SEED)
    golden = [int(generator.choice(run)) for run in np.array_split(np.asarray(numbers), count)]
    taken = set(golden)
    return Split(
        tuple(golden), tuple(number for number in numbers if number not in taken), held_back=True
    )
