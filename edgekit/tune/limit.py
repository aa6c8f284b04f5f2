"""What may be lost, and whether a candidate keeps to it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgekit.tune.candidate import Answers
from edgekit.tune.promise import (
    Paired,
    disagreement_bound,
    is_promised,
    labels_needed,
    loss_bound,
    samples_needed,
)

# Of those that seem to hold, so many are judged on samples that the search did not see.
FINALISTS = 3


@dataclass(frozen=True)
class Limit:
    """What the user allows.

    max_drop: the share of right answers that may be lost on unseen data; without labels, the share
    of answers that may differ. min_sqnr: dB that the output must keep. Either may be None.
    """

    max_drop: float | None = None
    min_sqnr: float | None = None

    @property
    def noise(self) -> float | None:
        """The noise that is allowed, over the power of the output; None where nobody knows it."""
        known = self.max_drop is None and self.min_sqnr is not None
        return 10 ** (-(self.min_sqnr or 0.0) / 10) if known else None

    def seems_held(self, answers: Answers, judged: int) -> bool:
        """Return whether a candidate is worth judging on `judged` unseen samples.

        Where these could promise anything at all, it must be likely that they do.
        """
        if not self._keeps_sqnr(answers):
            return False
        if self.max_drop is None:
            return True
        if self._can_promise(answers, judged):
            return self.is_promised(_scaled(answers, judged), FINALISTS)
        table = answers.table
        drop = (answers.differing or 0) / answers.samples if table is None else table.loss
        return drop <= self.max_drop

    def is_promised(self, answers: Answers, finalists: int) -> bool:
        """Return whether unseen data keeps to it, at 95 % for all finalists together."""
        if not self._keeps_sqnr(answers):
            return False
        if self.max_drop is None:
            return True
        if answers.table is not None:
            return is_promised(answers.table, self.max_drop, finalists)
        if answers.differing is None:
            return False
        bound = disagreement_bound(answers.differing, answers.samples, finalists)
        return bound <= self.max_drop

    def bound(self, answers: Answers, finalists: int) -> float | None:
        """Return what is lost at most on unseen data, as a share; None without --max-drop."""
        if self.max_drop is None:
            return None
        if answers.table is not None:
            return loss_bound(answers.table, finalists)
        return disagreement_bound(answers.differing or 0, answers.samples, finalists)

    def needed(self, answers: Answers, finalists: int) -> int | None:
        """Return how many unseen samples would promise it; None where no number would.

        Going by what the samples show: fewer, the more rarely the two models differ.
        """
        if self.max_drop is None:
            return None
        if answers.table is None:
            share = (answers.differing or 0) / answers.samples
            return samples_needed(self.max_drop, share, finalists)
        loss = max(0.0, answers.table.loss)
        return labels_needed(self.max_drop, answers.table.disagreement, loss, finalists)

    def distance(self, answers: Answers) -> tuple[float, float]:
        """Return how far a candidate is from it, for sorting: 0 first where it seems held."""
        if self.min_sqnr is not None:
            return max(0.0, self.min_sqnr - answers.sqnr_db), -answers.sqnr_db
        table = answers.table
        drop = (answers.differing or 0) / answers.samples if table is None else table.loss
        return max(0.0, drop - (self.max_drop or 0.0)), -answers.sqnr_db

    def _keeps_sqnr(self, answers: Answers) -> bool:
        return self.min_sqnr is None or answers.sqnr_db >= self.min_sqnr

    def _can_promise(self, answers: Answers, judged: int) -> bool:
        """Return whether so many samples promise anything of a model that never differs."""
        if answers.table is None:
            perfect = Answers(judged, math.inf, None, 0)
        else:
            perfect = Answers(judged, math.inf, Paired(judged, 0, 0, 0), 0)
        return self.is_promised(perfect, FINALISTS)


def _scaled(answers: Answers, samples: int) -> Answers:
    """Return what as many unseen samples would show if they were like these."""
    factor = samples / answers.samples
    differing = None if answers.differing is None else round(answers.differing * factor)
    table = answers.table
    if table is not None:
        lost, gained = round(table.lost * factor), round(table.gained * factor)
        table = Paired(samples - lost - gained, lost, gained, 0)
    return Answers(samples, answers.sqnr_db, table, differing)
