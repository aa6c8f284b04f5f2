"""A search as it is stored: what was tried, and what became of each."""

from __future__ import annotations

from edgekit.bundle.tried import Outcome, Tried
from edgekit.tune.candidate import REFERENCE, Answers, Evaluation, Objective
from edgekit.tune.finalists import Judged
from edgekit.tune.limit import Limit
from edgekit.tune.search import Search


def tried_in(
    search: Search, judged: Judged, objectives: tuple[Objective, ...], limit: Limit, samples: int
) -> list[Tried]:
    """Return each candidate of a search, the cheapest first."""
    names = {one.candidate.id: f"{search.format}/{one.name}" for one in judged.winners}
    promised = {one.candidate.id for one in judged.winners if one.promised}
    rows = []
    for one in search.found.values():
        name = one.candidate.id
        outcome, reason = _outcome(one, judged, promised, limit, samples)
        rows.append(
            Tried(
                id=name,
                plan=one.candidate.plan,
                outcome=outcome,
                costs={str(name): cost for name, cost in one.costs.items()},
                sqnr_db=one.answers.sqnr_db if one.answers else None,
                loss=drop_of(one.answers) if one.answers else None,
                bound=judged.bounds.get(name),
                reason=reason,
                artifact=names.get(name),
            )
        )
    return sorted(rows, key=lambda row: row.costs.get(objectives[0], float("inf")))


def _outcome(
    one: Evaluation, judged: Judged, promised: set[str], limit: Limit, samples: int
) -> tuple[Outcome, str]:
    name = one.candidate.id
    if one.answers is None:
        return "not made", one.reason
    if name in promised or one.candidate.plan == REFERENCE:
        return "promised", ""
    if any(name == winner.candidate.id for winner in judged.winners):
        return "guess", "so many samples do not promise it"
    if name in judged.answers:
        if limit.is_promised(judged.answers[name], len(judged.answers)):
            return "promised", "another one costs less"
        return "rejected", "unseen samples do not promise it"
    if limit.seems_held(one.answers, samples):
        return "held", one.reason or "another one costs less, or loses less"
    return "rejected", _too_much(one.answers, limit)


def _too_much(answers: Answers, limit: Limit) -> str:
    if limit.min_sqnr is not None and answers.sqnr_db < limit.min_sqnr:
        return f"{answers.sqnr_db:.1f} dB, under {limit.min_sqnr:g}"
    drop = drop_of(answers)
    if drop is not None and limit.max_drop is not None and drop > limit.max_drop:
        return f"loses {drop:.2%}, more than {limit.max_drop:.2%}"
    return "loses too much for the samples there are to promise less"


def drop_of(answers: Answers) -> float | None:
    """Return the share of answers lost; without labels, of those that differ."""
    if answers.table is not None:
        return answers.table.loss
    return None if answers.differing is None else answers.differing / answers.samples
