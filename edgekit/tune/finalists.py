"""The finalists: judged on samples that the search did not see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgekit.tune.candidate import Answers, Candidate, Evaluation, Objective
from edgekit.tune.evaluator import Evaluator
from edgekit.tune.limit import FINALISTS, Limit
from edgekit.tune.search import Search


@dataclass(frozen=True)
class Winner:
    """What was chosen of one format for one objective.

    promised: whether unseen data keeps to the limit, at 95 %. Otherwise it is a guess.
    """

    objective: Objective
    candidate: Candidate
    promised: bool

    @property
    def name(self) -> str:
        """As its artifact is called."""
        return f"{'tuned' if self.promised else 'guess'}-{self.objective}"


@dataclass(frozen=True)
class Judged:
    """winners: at most a promised one, or a guess, per objective.

    answers, bounds: of the finalists on unseen samples, by id. needed: how many labels would have
    promised the best finalist; None where one is promised, and where no number would.
    """

    winners: tuple[Winner, ...]
    answers: Mapping[str, Answers]
    bounds: Mapping[str, float | None]
    needed: int | None = None


def judge_finalists(
    search: Search, objectives: tuple[Objective, ...], limit: Limit, evaluator: Evaluator
) -> Judged:
    """Judge the best of a search, all at once: each one more takes its share of the 5 %."""
    by_objective = {one: _finalists(search.holding(one), objectives) for one in objectives}
    chosen = {one.candidate.id: one.candidate for best in by_objective.values() for one in best}
    if not chosen:
        return Judged((), {}, {})
    answers = dict(zip(chosen, evaluator.judge(list(chosen.values())), strict=True))
    count = len(chosen)
    bounds = {name: limit.bound(one, count) for name, one in answers.items()}
    winners, needed = [], None
    for objective, best in by_objective.items():
        promised = [one for one in best if limit.is_promised(answers[one.candidate.id], count)]
        if best:
            first = (promised or best)[0].candidate
            winners.append(Winner(objective, first, bool(promised)))
            if not promised:
                needed = limit.needed(answers[first.id], count)
    return Judged(tuple(winners), answers, bounds, needed)


def _finalists(held: list[Evaluation], objectives: tuple[Objective, ...]) -> list[Evaluation]:
    """Return the best, each at least a little more careful than the one before.

    A promise is the likelier the less is lost: what costs more and loses as much is no use.
    """
    each = max(1, FINALISTS // len(objectives))
    found: list[Evaluation] = []
    for one in held:
        careful = not found or (
            one.answers is not None
            and found[-1].answers is not None
            and one.answers.sqnr_db > found[-1].answers.sqnr_db
        )
        if careful:
            found.append(one)
    if len(found) <= each:
        return found
    # The best, the most careful, and what lies between.
    places = {round(n * (len(found) - 1) / max(1, each - 1)) for n in range(each)}
    return [found[place] for place in sorted(places)]
