"""Accuracy: what an artifact still gets right, judged by labels.

Top-1 accuracy for class labels, MAE and RMSE for real numbers, or the user's own metric. How
it compares with another model's, on the same samples, is in its `differences`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from edgekit.forms import AtLeastOne, Count, NotNegative, Share
from edgekit.results.statistics import NORMAL_975

Score = Literal["top1", "mae", "rmse", "metric"]
DifferenceVerdict = Literal["same", "worse", "better", "too few samples"]
Test = Literal["McNemar, mid-p", "paired bootstrap"]


@dataclass(frozen=True)
class AccuracyDifference:
    """A score of one model against that of another, judged on the same samples.

    compared_with: the other's id: "original", or the fp32 artifact of the same format.
    value: this model's score minus the other's, in the score's unit (shares for top-1). None
    where this model's outputs are NaN, so that there is no score.
    low, high: the 95 % interval of `value`; None if there are too few samples.
    verdict: "same" means that no difference could be shown; the interval says how large one could
    be nevertheless.
    p: of McNemar's test; None for the bootstrap, whose verdict is that of the interval.
    only_here, only_there: how many samples only this model, or only the other, gets right.
    """

    compared_with: str
    value: float | None
    low: float | None
    high: float | None
    verdict: DifferenceVerdict
    higher_is_better: bool
    test: Test
    p: Share | None = None
    only_here: Count | None = None
    only_there: Count | None = None

    @property
    def worse_by(self) -> float | None:
        """The difference as a loss: over 0 is worse, whichever way the score points."""
        return None if self.value is None else self._as_loss(self.value)

    @property
    def loss_interval(self) -> tuple[float, float] | None:
        """The 95 % interval of `worse_by`; None if there is none."""
        if self.low is None or self.high is None:
            return None
        first, second = self._as_loss(self.low), self._as_loss(self.high)
        return min(first, second), max(first, second)

    def _as_loss(self, value: float) -> float:
        # Not -0.0, which a table would show.
        return 0.0 - value if self.higher_is_better else value


@dataclass(frozen=True)
class Accuracy:
    """What labels say about one output.

    top1, correct: share and number of samples whose first class is the label.
    mae, rmse: mean absolute and root mean square error, over all samples and elements, in the
    labels' unit.
    metric, value: the user's function as "module:function", and what it says.
    The groups of these that were not asked for are None, and so are errors and the metric's
    value where an output was NaN.
    low, high: the 95 % interval of top1 (Wilson), of mae or of value (bootstrap); None if there
    are too few samples.
    nan: samples with an output that is NaN or infinite. In top1 they count as wrong.
    differences: from another model's scores; empty if there was none to compare with.
    """

    output: str
    samples: AtLeastOne
    top1: Share | None = None
    low: float | None = None
    high: float | None = None
    correct: Count | None = None
    mae: NotNegative | None = None
    rmse: NotNegative | None = None
    nan: Count = 0
    metric: str | None = None
    value: float | None = None
    differences: Mapping[Score, AccuracyDifference] = field(default_factory=dict)

    @property
    def difference(self) -> AccuracyDifference | None:
        """The difference of the score that low and high are about."""
        return next(iter(self.differences.values()), None)

    def score(self, name: Score) -> float | None:
        """Return the value of one score."""
        return {"top1": self.top1, "mae": self.mae, "rmse": self.rmse, "metric": self.value}[name]


def wilson_interval(correct: int, samples: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927): sound near 0 and 1, and for few samples.

    Example:
        >>> low, high = wilson_interval(9, 10)
        >>> round(low, 3), round(high, 3)
        (0.596, 0.982)
    """
    z2 = NORMAL_975**2
    share = correct / samples
    center = (share + z2 / (2 * samples)) / (1 + z2 / samples)
    half = (
        NORMAL_975
        / (1 + z2 / samples)
        * math.sqrt(share * (1 - share) / samples + z2 / (4 * samples**2))
    )
    return max(0.0, center - half), min(1.0, center + half)
