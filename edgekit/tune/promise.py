"""The promise: how much an artifact may lose on data that nobody has seen.

Accuracies of two models on the same samples differ only by the samples that one of them gets right
and the other wrong. The bound is that of the score test for paired shares (Tango, Statistics in
Medicine 17:891, 1998), one-sided. At a true loss of exactly the limit it promises wrongly .039 to
.049 of the time where 5 % are meant; Wald's interval does .198 of the time.

Several finalists that are judged on the same samples share the 5 % (Bonferroni): the best of five,
uncorrected, would be promised wrongly .22 of the time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from edgekit_runtimes.tensors import Array

# A promise is wrong at most so often.
RISK = 0.05
# So often enough labels should suffice, where the artifact is as it seems.
POWER = 0.9
# Bounds are shares: a millionth of a point is closer than any number of labels can tell.
BOUND_STEPS = 40
# Beyond so many labels nobody is asked for them: the artifact loses too much.
MOST_LABELS = 200_000
# Beyond this many standard deviations of a count, what is left out is under a ten-millionth.
TAIL = 5.5


@dataclass(frozen=True)
class Paired:
    """How an artifact and the original answer the same samples: McNemar's table.

    lost, gained: how many only the original, and only the artifact, gets right.
    both, neither: how many both get right, and both get wrong.
    """

    both: int
    lost: int
    gained: int
    neither: int

    @property
    def samples(self) -> int:
        """How many there are."""
        return self.both + self.lost + self.gained + self.neither

    @property
    def loss(self) -> float:
        """The share of right answers lost, on these samples; negative where some were gained."""
        return (self.lost - self.gained) / self.samples

    @property
    def disagreement(self) -> float:
        """The share of samples that only one of them gets right."""
        return (self.lost + self.gained) / self.samples


def paired(original: Array, artifact: Array) -> Paired:
    """Return the table of two models, given which samples each got right (booleans)."""
    return Paired(
        int((original & artifact).sum()),
        int((original & ~artifact).sum()),
        int((artifact & ~original).sum()),
        int((~original & ~artifact).sum()),
    )


def loss_bound(table: Paired, finalists: int = 1) -> float:
    """Return the loss that is not exceeded on unseen data, at 95 % for all finalists together.

    It is a share: .01 is one point.

    Example:
        >>> round(loss_bound(Paired(1000, 0, 0, 62)), 4)
        0.0025
    """
    limit = _normal(finalists)
    low, high = max(table.loss, -1.0), 1.0
    for _ in range(BOUND_STEPS):
        middle = (low + high) / 2
        score = score_statistic(table.lost, table.gained, table.samples, middle)
        low, high = (low, middle) if score <= -limit else (middle, high)
    return high


def score_statistic(lost: Array | int, gained: Array | int, samples: int, loss: float) -> Array:
    """Return Tango's statistic of a true loss: how many standard deviations what was found is off.

    Negative where less was lost. lost, gained: counts, or arrays of counts.
    """
    lost, gained = np.asarray(lost, np.float64), np.asarray(gained, np.float64)
    linear = -lost - gained + (2 * samples - lost + gained) * loss
    constant = -gained * loss * (1 - loss)
    # The likeliest share of samples gained, if the loss is the one given.
    share = (np.sqrt(linear**2 - 8 * samples * constant) - linear) / (4 * samples)
    variance = samples * (2 * share + loss * (1 - loss))
    # Rounding leaves a share of -1e-20 where it is zero.
    return np.asarray((lost - gained - samples * loss) / np.sqrt(np.maximum(variance, 1e-30)))


def is_promised(table: Paired, max_drop: float, finalists: int = 1) -> bool:
    """Return whether at most `max_drop` (a share) is lost on unseen data, at 95 %."""
    score = score_statistic(table.lost, table.gained, table.samples, max_drop)
    return bool(score <= -_normal(finalists))


def labels_needed(
    max_drop: float, disagreement: float, loss: float = 0.0, finalists: int = 1
) -> int | None:
    """Return how many labels promise `max_drop` nine times of ten, or None where hardly any do.

    disagreement: the share of samples that only one of the two models gets right.
    loss: what is truly lost. All three are shares. Worked out from the exact chances of all counts.
    """
    disagreement = max(disagreement, abs(loss))
    if loss >= max_drop:
        return None
    low, high = 1, 2
    while _power(high, max_drop, disagreement, loss, finalists) < POWER:
        low, high = high, high * 2
        if high > MOST_LABELS:
            return None
    while high - low > max(1, low // 200):
        middle = (low + high) // 2
        enough = _power(middle, max_drop, disagreement, loss, finalists) >= POWER
        low, high = (low, middle) if enough else (middle, high)
    return high


def _power(
    samples: int, max_drop: float, disagreement: float, loss: float, finalists: int
) -> float:
    """Return how likely it is that so many labels promise it."""
    totals = _counts(samples, disagreement)
    most = int(totals[-1])
    lost = np.arange(most + 1)
    total, lost = totals[:, None], lost[None]
    possible = lost <= total
    score = score_statistic(lost, np.where(possible, total - lost, 0), samples, max_drop)
    chance = _binomial(totals[:, None], samples, disagreement)
    share = (disagreement + loss) / (2 * disagreement) if disagreement else 0.5
    inner = _binomial(np.minimum(lost, total), total, share)
    promised = possible & (score <= -_normal(finalists))
    return float((chance * np.where(promised, inner, 0.0)).sum())


def _counts(samples: int, share: float) -> Array:
    """Return the counts of a binomial that are not as good as impossible."""
    middle = samples * share
    width = TAIL * math.sqrt(max(middle * (1 - share), 1.0)) + TAIL
    return np.arange(max(0, int(middle - width)), min(samples, int(middle + width)) + 1)


def _binomial(count: Array, total: Array | int, share: float) -> Array:
    """Return the chance of each count."""
    count, total = np.asarray(count, np.float64), np.asarray(total, np.float64)
    if share in (0.0, 1.0):
        return np.asarray(count == total * share, np.float64)
    logs = (
        _log_factorial(total)
        - _log_factorial(count)
        - _log_factorial(total - count)
        + count * math.log(share)
        + (total - count) * math.log1p(-share)
    )
    return np.asarray(np.exp(logs))


def _log_factorial(number: Array) -> Array:
    """Return log(n!) by Stirling's series; exact enough from 9 on, and shifted there below."""
    number = np.asarray(number, np.float64)
    shifted, product = number + 1, np.ones_like(number)
    for _ in range(9):
        small = shifted < 10
        product = np.where(small, product * shifted, product)
        shifted = np.where(small, shifted + 1, shifted)
    series = 1 / (12 * shifted) - 1 / (360 * shifted**3) + 1 / (1260 * shifted**5)
    whole = (shifted - 0.5) * np.log(shifted) - shifted + 0.5 * math.log(2 * math.pi) + series
    return np.asarray(whole - np.log(product))


def disagreement_bound(differing: int, samples: int, finalists: int = 1) -> float:
    """Return the share of unseen samples that two models answer differently, at 95 %.

    It bounds any accuracy that can be lost, without labels. Clopper and Pearson's bound (Biometrika
    26:404, 1934), one-sided: exact, and never too low.
    """
    if differing >= samples:
        return 1.0
    counts = np.arange(differing + 1)
    low, high = differing / samples, 1.0
    for _ in range(BOUND_STEPS):
        middle = (low + high) / 2
        so_few = float(_binomial(counts, samples, middle).sum())
        low, high = (low, middle) if so_few <= RISK / finalists else (middle, high)
    return high


def samples_needed(max_drop: float, disagreement: float, finalists: int = 1) -> int | None:
    """Return how many samples without labels bound the disagreement, as `labels_needed` does."""
    if disagreement >= max_drop:
        return None
    low, high = 1, 2
    while disagreement_bound(math.ceil(disagreement * high), high, finalists) > max_drop:
        low, high = high, high * 2
        if high > MOST_LABELS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        enough = disagreement_bound(math.ceil(disagreement * middle), middle, finalists) <= max_drop
        low, high = (low, middle) if enough else (middle, high)
    return high


def _normal(finalists: int) -> float:
    return NormalDist().inv_cdf(1 - RISK / finalists)
