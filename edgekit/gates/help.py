"""What gates can be about, for the help of the commands that take them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from edgekit.gates.goals import baseline_goals, regressions
from edgekit.results.figures.registry import by_group
from edgekit.text.quantities import DECIBELS

WIDTH = 90
INDENT = "  "

GRAMMAR = """\
A gate is [WORDS] FIGURE<=VALUE, or with >=, < or >. Words limit it to the rows of a device, an
engine, an artifact, a format or a recipe; * matches anything."""


def goals_help() -> str:
    """Return all that a gate on one results file can be about, by kind."""
    return "\n".join([GRAMMAR, *_figures(), *_baselines()])


def regressions_help() -> str:
    """Return all that a gate on two results files can be about."""
    levels = [name for name, goal in regressions().items() if goal.figure.quantity is DECIBELS]
    return "\n".join(
        [
            "Gates here are about what became worse, in percent of what it was:",
            *_wrapped(regressions()),
            *(f"{name} is about the error." for name in levels),
        ]
    )


def _figures() -> Iterator[str]:
    """Yield the figures themselves, by quantity."""
    gated = [figure for figure in by_group() if figure.gated]
    for quantity in dict.fromkeys(figure.quantity for figure in gated):
        yield f"{quantity.kind}:"
        yield from _wrapped(figure.key for figure in gated if figure.quantity is quantity)


def _baselines() -> Iterator[str]:
    """Yield what figures can be asked against another row, by what that row is."""
    names_by_heading: dict[str, list[str]] = {}
    for figure in by_group():
        if figure.gated and figure.gated.baseline:
            names = [goal.name for goal in baseline_goals(figure)]
            names_by_heading.setdefault(figure.gated.baseline.heading, []).extend(names)
    for heading, names in names_by_heading.items():
        yield f"{heading}:"
        yield from _wrapped(name for name in names if ".percent_" not in name)
        yield "and in percent of what it was:"
        yield from _wrapped(name for name in names if ".percent_" in name)


def _wrapped(names: Iterable[str]) -> list[str]:
    text = INDENT.join(names)
    return textwrap.wrap(
        text, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False
    )
