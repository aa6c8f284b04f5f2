"""How long the rest of a bench takes: from what was seen of it so far, and from the plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from edgekit_runtimes.protocol.job import Plan
from edgekit_runtimes.timing import NS, plan_blocks

# What a worker process needs to start and to load a model, until one was observed.
START_S = 1.0


@dataclass(frozen=True)
class Work:
    """What one worker process does.

    members: the models in it, in their order. timed: those whose times are kept from it.
    process: its number among those of its group. samples: how many each model judges.
    """

    kind: Literal["check", "time", "evaluate"]
    members: tuple[str, ...]
    timed: tuple[str, ...] = ()
    process: int = 0
    samples: int = 0


class Pace:
    """Learns how long models and processes take, and says how long the rest will."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._run_s: dict[str, float] = {}
        self._start_s: dict[str, float] = {}
        self._group_s: dict[frozenset[str], float] = {}

    def saw_first_run(self, model: str, ns: float) -> None:
        """Note the time of a first inference, which is slower than others: better than nothing."""
        self._run_s.setdefault(model, ns / NS)

    def saw_run(self, model: str, ns: float) -> None:
        """Note the time of an inference."""
        self._run_s[model] = ns / NS

    def finished(self, work: Work, seconds: float) -> None:
        """Note how long a process took."""
        if work.kind == "time":
            self._group_s[frozenset(work.members)] = seconds
        elif work.kind == "check":
            (model,) = work.members
            self._bound_run(model, work.samples, seconds)
            self._start_s[model] = max(0.0, seconds - work.samples * self._run_s.get(model, 0.0))

    def _bound_run(self, model: str, samples: int, seconds: float) -> None:
        """Let a first run, which may compile, take no longer than the samples after it."""
        if samples and model in self._run_s:
            most = max(0.0, seconds - START_S) / samples
            self._run_s[model] = min(self._run_s[model], most)

    def left_s(self, rest: Iterable[Work]) -> float:
        """Return how many seconds the rest will take."""
        return sum(self._expected_s(work) for work in rest)

    def _expected_s(self, work: Work) -> float:
        starting_s = sum(self._start_s.get(model, START_S) for model in work.members)
        runs_s = [self._run_s.get(model, 0.0) for model in work.members]
        if work.kind != "time":
            return starting_s + work.samples * sum(runs_s)
        seen = self._group_s.get(frozenset(work.members))
        return starting_s + measuring_s(self._plan, runs_s) if seen is None else seen


def measuring_s(plan: Plan, runs_s: Sequence[float]) -> float:
    """Return how long a process measures models whose inferences take `runs_s` seconds each."""
    # The same numbers as the worker's, which knows the fastest run.
    seen = {number: [round(run_s * NS)] for number, run_s in enumerate(runs_s) if run_s}
    rounds, runs = plan_blocks(plan, seen)
    return sum(
        max(plan.warmup_s, plan.warmup_runs * run_s)
        + (2 * rounds * runs[number] * run_s if number in runs else plan.min_s)
        for number, run_s in enumerate(runs_s)
    )
