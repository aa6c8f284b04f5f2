"""The search: uniform recipes first, then mixes of what single layers stand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from edgekit.bundle.plan import Plan
from edgekit.tune.budget import Budget
from edgekit.tune.candidate import REFERENCE, STORED, Candidate, Evaluation, Objective
from edgekit.tune.evaluator import Evaluator
from edgekit.tune.limit import Limit
from edgekit.tune.ranker import Mix, Ranker, grouped_layers
from edgekit.tune.uniform import modified, uniform
from edgekit_converters.mixing import FAMILIES, Family
from edgekit_runtimes.errors import DeviceError

# Made together, since each conversion loads the source again; and not more, so that the time that
# is left is looked at often.
BATCH = 6
# Of a net of ten layers so many are enough, the uniform ones included.
ENOUGH = 20
# Of a net whose uniform recipes and probes are as many already.
FEWEST_MIXES = 3
# Where nothing is known to hold: a sixteenth of the power is 12 dB.
FIRST_STEP = 16.0

Tell = Callable[["Search"], None]


class Search:
    """The search of one format.

    judged: how many samples will judge the finalists. tell: called after each batch.
    """

    def __init__(
        self,
        format_name: str,
        objectives: tuple[Objective, ...],
        limit: Limit,
        judged: int,
        evaluator: Evaluator,
        budget: Budget,
        tell: Tell = lambda _: None,
    ) -> None:
        self.format = format_name
        self.found: dict[str, Evaluation] = {}
        self.stopped = ""
        self._objectives = objectives
        self._limit = limit
        self._judged = judged
        self._evaluator = evaluator
        self._budget = budget
        self._tell = tell

    def run(self, calibrated: bool) -> None:
        """Evaluate candidates until nothing is left to try, or the time is over."""
        try:
            self._evaluate(uniform(self.format, calibrated, self._objectives))
            for objective in self._objectives:
                self._evaluate(modified([one.candidate for one in self.holding(objective)]))
            for family in FAMILIES.get(self.format, ()):
                self._mix(family)
        except DeviceError as error:
            self.stopped = str(error)

    def holding(self, objective: Objective) -> list[Evaluation]:
        """Return what seems to keep to the limit, the best first; fp32 is not among them."""
        held = [
            one
            for one in self.found.values()
            if one.candidate.plan != REFERENCE
            and one.has((objective,))
            and one.answers is not None
            and self._limit.seems_held(one.answers, self._judged)
        ]
        return sorted(held, key=lambda one: one.costs[objective])

    def _mix(self, family: Family) -> None:
        """Try mixes of a family's levels, where its levels differ in what they hold."""
        levels = [self.found.get(f"{self.format}/{level}") for level in family.levels]
        known = [one for one in levels if one is not None and one.answers is not None]
        if len(known) < len(family.levels) or not self._wants(family):
            return
        if self._holds(known[0]) or not self._holds(known[-1]):
            return
        layers = self._evaluator.layers(self.format)
        if len(layers) < 2:
            return
        groups = grouped_layers(layers)
        ranker = Ranker(family, groups, [], 0.0, {})
        probes = [
            self._of(ranker, family, _probe(family, len(groups), n)) for n in range(len(groups))
        ]
        if len(self._evaluate(probes)) < len(probes):
            return
        noises = [self._noise(one) for one in probes]
        uniform_noises = {
            one.candidate.plan.recipe: one.answers.noise for one in known if one.answers
        }
        base = self._base(family, ranker, len(groups), uniform_noises)
        self._approach(Ranker(family, groups, noises, base, uniform_noises))

    def _base(
        self, family: Family, ranker: Ranker, groups: int, uniform_noises: dict[str, float]
    ) -> float:
        """Return the noise with every layer at the most exact level.

        Where activations are int8 between the layers, that is not the noise of the level's recipe.
        """
        if family.gains == "bytes":
            return uniform_noises[family.levels[-1]]
        exact = self._of(ranker, family, Mix((family.levels[-1],) * groups, 0.0, 0.0))
        self._evaluate([exact])
        return min(self._noise(exact), uniform_noises[family.levels[0]])

    def _approach(self, ranker: Ranker) -> None:
        """Evaluate the mixes of the front that are expected to be the cheapest that hold.

        Each corrects the next: noise adds up only nearly, and what noise the limit allows shows by
        what holds and what does not.
        """
        correction, cheapest = 1.0, math.inf
        front = ranker.front()
        for _ in range(max(FEWEST_MIXES, ENOUGH - len(self.found))):
            quiet, loud = self._between()
            allowed = self._limit.noise
            target = math.sqrt(max(quiet, loud / FIRST_STEP) * loud) if allowed is None else allowed
            open_mixes = [
                mix
                for mix in front
                if mix.cost < cheapest
                and mix.noise * correction < (loud if allowed is None else allowed)
                and self._of(ranker, ranker.family, mix).id not in self.found
            ]
            if not open_mixes:
                break
            fitting = (mix for mix in open_mixes if mix.noise * correction <= target)
            mix = next(fitting, open_mixes[-1])
            candidate = self._of(ranker, ranker.family, mix)
            if not self._evaluate([candidate]):
                break
            if self._holds(self.found[candidate.id]):
                cheapest = mix.cost
            if mix.noise:
                correction = self._noise(candidate) / mix.noise

    def _between(self) -> tuple[float, float]:
        """Return the most noise that held, and the least that did not, above it."""
        answered = [(one, one.answers) for one in self.found.values() if one.answers]
        loud = min((its.noise for one, its in answered if not self._holds(one)), default=1.0)
        fine = (its.noise for one, its in answered if self._holds(one) and its.noise < loud)
        return max(fine, default=0.0), loud

    def _of(self, ranker: Ranker, family: Family, mix: Mix) -> Candidate:
        return Candidate(self.format, Plan(family.recipe, ranker.plan_layers(mix)))

    def _wants(self, family: Family) -> bool:
        """Return whether a family has anything to offer for an objective."""
        return any((one in STORED) == (family.gains == "bytes") for one in self._objectives)

    def _holds(self, one: Evaluation) -> bool:
        return one.answers is not None and self._limit.seems_held(one.answers, self._judged)

    def _noise(self, candidate: Candidate) -> float:
        found = self.found.get(candidate.id)
        return found.answers.noise if found and found.answers else math.inf

    def _evaluate(self, candidates: Sequence[Candidate]) -> list[Evaluation]:
        """Evaluate those that are not known yet, as far as time allows; return all that are."""
        unique = {one.id: one for one in candidates}
        missing = [one for name, one in unique.items() if name not in self.found]
        while missing:
            count = min(BATCH, self._budget.affordable(min(BATCH, len(missing))))
            if not count:
                self.stopped = "the time was over"
                break
            batch, missing = missing[:count], missing[count:]
            started = self._budget.now()
            for one in self._evaluator.evaluate(batch):
                self.found[one.candidate.id] = one
            self._budget.took(self._budget.now() - started, len(batch))
            self._tell(self)
        return [self.found[name] for name in unique if name in self.found]


def _probe(family: Family, groups: int, place: int) -> Mix:
    """Return one group at the cheapest level, all others at the most exact one."""
    levels = [family.levels[-1]] * groups
    levels[place] = family.levels[0]
    return Mix(tuple(levels), 0.0, 0.0)
