"""What an artifact lost: its accuracy against another model's on the same samples.

Two accuracies with an interval each say little about their difference: the samples that both get
right, or both wrong, are noise in each of them and none in the difference. So it is worked out
sample by sample.

    top-1       McNemar's test looks only at the samples that one gets right and the other wrong.
                The mid-p version keeps 5 % for all numbers of samples, where the exact one is too
                careful (Fagerland, Lydersen and Laake, BMC Medical Research Methodology 13:91,
                2013). The interval is Bonett and Price's (Journal of Educational and Behavioral
                Statistics 37, 2012), recommended by the same authors (Statistics in Medicine 33,
                2014): it has a width even where no answer differs.
    the others  the paired bootstrap of `resample`

A difference is claimed where the interval leaves out 0, and for top-1 p is also under .05.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edgekit.bench.accuracy import resample
from edgekit.bench.accuracy.judge import Judgement
from edgekit.results.accuracy import AccuracyDifference, DifferenceVerdict, Score
from edgekit.results.plan import ORIGINAL, REFERENCE_RECIPE
from edgekit.results.results import Row
from edgekit.results.statistics import NORMAL_975
from edgekit_runtimes.tensors import Array

SIGNIFICANT = 0.05
# Bonett and Price add a sample to each of the two kinds that differ.
ADDED = 1

# Judgements by device, engine and artifact, all of the same samples.
Judgements = dict[tuple[str, str | None, str], Judgement]


def compared_rows(rows: Sequence[Row], judgements: Judgements) -> list[Row]:
    """Return the rows with the differences of their accuracies.

    Each is compared with the original where that was judged, on any device, else with the fp32
    artifact of its format on its own device, run by its own engine.
    """
    return [_compared(row, judgements) for row in rows]


def _compared(row: Row, judgements: Judgements) -> Row:
    mine = judgements.get((row.device, row.engine, row.id))
    if row.accuracy is None or mine is None or row.id == ORIGINAL:
        return row
    originals = (other for (*_, name), other in judgements.items() if name == ORIGINAL)
    name, other = ORIGINAL, next(originals, None)
    if other is None:
        name = f"{row.format}/{REFERENCE_RECIPE}"
        other = None if row.id == name else judgements.get((row.device, row.engine, name))
    if other is None:
        return row
    return replace(row, accuracy=replace(row.accuracy, differences=differences(mine, other, name)))


def differences(mine: Judgement, other: Judgement, name: str) -> dict[Score, AccuracyDifference]:
    """Return the difference of each score of `mine` to that of `other`, a model named `name`.

    Both are of the same samples. A score that `other` does not have is left out.
    """
    if mine.right is not None and other.right is not None:
        samples = mine.accuracy.samples
        return {"top1": compare_right(_bits(mine, samples), _bits(other, samples), name)}
    return {
        score: _compare_resampled(score, mine, other, name)
        for score in mine.resampled
        if other.accuracy.score(score) is not None
    }


def _bits(judgement: Judgement, samples: int) -> Array:
    return np.unpackbits(np.asarray(judgement.right), count=samples).astype(np.bool_)


def compare_right(mine: Array, other: Array, name: str) -> AccuracyDifference:
    """Return the difference in top-1 of two models, given which samples each got right."""
    here, there = int((mine & ~other).sum()), int((other & ~mine).sum())
    low, high = bonett_price_interval(here, there, mine.size)
    p = mcnemar_mid_p(here, there)
    verdict: DifferenceVerdict = "same"
    if p < SIGNIFICANT and (low > 0 or high < 0):
        verdict = "better" if here > there else "worse"
    value = (here - there) / mine.size
    return AccuracyDifference(
        name, value, low, high, verdict, True, "McNemar, mid-p", p, here, there
    )


def mcnemar_mid_p(here: int, there: int) -> float:
    """Return the two-sided mid-p of as uneven a split of the samples that differ, by chance alone.

    here, there: how many only the one and only the other model gets right.

    Example:
        >>> round(mcnemar_mid_p(1, 7), 4)
        0.0391
    """
    fewer, total = min(here, there), here + there
    # The share of the split itself; those of more uneven ones follow by the binomial's ratio.
    log_share = (
        math.lgamma(total + 1)
        - math.lgamma(fewer + 1)
        - math.lgamma(total - fewer + 1)
        - total * math.log(2)
    )
    share = math.exp(log_share)
    result = share
    for count in range(fewer, 0, -1):
        share *= count / (total - count + 1)
        result += 2 * share
    return min(1.0, result)


def bonett_price_interval(here: int, there: int, samples: int) -> tuple[float, float]:
    """Return the 95 % interval of the difference of two shares of the same samples."""
    enlarged = samples + 2 * ADDED
    first, second = (here + ADDED) / enlarged, (there + ADDED) / enlarged
    center = first - second
    half = NORMAL_975 * math.sqrt((first + second - center**2) / enlarged)
    return max(-1.0, center - half), min(1.0, center + half)


def _compare_resampled(
    score: Score, mine: Judgement, other: Judgement, name: str
) -> AccuracyDifference:
    value, reference = mine.accuracy.score(score), other.accuracy.score(score)
    if value is None or reference is None:
        return _without_value(mine, name)
    shifts = mine.resampled[score] - other.resampled[score]
    low, high = resample.interval(shifts, mine.accuracy.samples)
    verdict: DifferenceVerdict = "same"
    if low is None or high is None:
        verdict = "too few samples"
    elif low > 0 or high < 0:
        verdict = "better" if (low > 0) == mine.higher_is_better else "worse"
    return AccuracyDifference(
        name, value - reference, low, high, verdict, mine.higher_is_better, "paired bootstrap"
    )


def _without_value(mine: Judgement, name: str) -> AccuracyDifference:
    """Return the difference of a model whose outputs are NaN: worse, but not by a number."""
    return AccuracyDifference(
        name, None, None, None, "worse", mine.higher_is_better, "paired bootstrap"
    )
