"""What a gate can ask for: a figure, or a figure against something else.

`max_degradation`, `percent_max_degradation`, `min_improvement` and `percent_min_improvement` are
the words of Olive's MetricGoal: against a baseline in the same results, the percentages of it.
`max_regression` is ours: how much worse than in older results, in percent of what it was there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from edgekit.results.figures.figure import Figure
from edgekit.results.figures.measured import Read, saved
from edgekit.results.figures.registry import by_group, compared_figures
from edgekit.text.quantities import PERCENTAGE, Quantity

if TYPE_CHECKING:
    from edgekit.results.results import Row

# Which way a limit must point if the goal's name says so.
Side = Literal["at most", "at least", "either"]


@dataclass(frozen=True)
class Goal:
    """What a gate can be about.

    family: what its name begins with; of a regression, the figure's name in comparisons.
    figure: what it is read from.
    concerns, origin: as of `Gated`.
    read: None if older results are needed as well: `compare` reads those.
    """

    name: str
    family: str
    figure: Figure
    quantity: Quantity
    concerns: Callable[[Row], bool]
    read: Read | None
    side: Side = "either"
    origin: str = ""


def goals() -> Mapping[str, Goal]:
    """Return what can be asked of one results file, by name."""
    figures = [figure for figure in by_group() if figure.gated]
    found = [goal for figure in figures for goal in (_plain(figure), *baseline_goals(figure))]
    return {goal.name: goal for goal in found}


def regressions() -> Mapping[str, Goal]:
    """Return what can be asked of two, by name."""
    found = (_regression(name, figure) for name, figure in compared_figures().items())
    return {goal.name: goal for goal in found}


def aliases() -> Mapping[str, str]:
    """Return other names that a gate may use, each with the one that it means."""
    return {
        alias: figure.key for figure in by_group() if figure.gated for alias in figure.gated.aliases
    }


def baseline_goals(figure: Figure) -> Iterator[Goal]:
    """Yield what can be asked of a figure against another row of the same results."""
    baseline = figure.gated.baseline if figure.gated else None
    if baseline is None:
        return
    family = figure.compared.name if figure.compared else figure.key
    for word in baseline.goals:
        is_loss = word == "max_degradation"
        for prefix, quantity, lost in (
            ("", figure.quantity, baseline.lost),
            ("percent_", PERCENTAGE, baseline.share_lost),
        ):
            yield Goal(
                f"{family}.{prefix}{word}",
                family,
                figure,
                quantity,
                baseline.concerns,
                lost if is_loss else saved(lost),
                "at most" if is_loss else "at least",
                baseline.origin,
            )


def _plain(figure: Figure) -> Goal:
    origin = figure.gated.origin if figure.gated else ""
    return Goal(
        figure.key,
        figure.key,
        figure,
        figure.quantity,
        figure.concerns,
        figure.found_in,
        origin=origin,
    )


def _regression(name: str, figure: Figure) -> Goal:
    concerns = figure.concerns
    return Goal(f"{name}.max_regression", name, figure, PERCENTAGE, concerns, None, "at most")
