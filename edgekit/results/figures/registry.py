"""All figures, in the order of CSV; tables sort them by their groups."""

from __future__ import annotations

from edgekit.results.figures import accuracy, agreement, memory, naming, ratios, size, times
from edgekit.results.figures.figure import GROUPS, Figure

FIGURES: dict[str, Figure] = {}


def register(*figures: Figure) -> None:
    """Add figures, which every output then has. Raises ValueError if a name is taken."""
    for figure in figures:
        fields = {one.csv for one in FIGURES.values() if one.csv}
        if figure.key in FIGURES or figure.csv in fields:
            raise ValueError(f"a figure is already called {figure.key} or {figure.csv}")
        FIGURES[figure.key] = figure


def all_figures() -> tuple[Figure, ...]:
    """Return all of them, as CSV has them."""
    return tuple(FIGURES.values())


def by_group() -> list[Figure]:
    """Return all of them in the order of a table: group by group."""
    return sorted(FIGURES.values(), key=lambda figure: GROUPS.index(figure.group))


def figure_called(key: str) -> Figure:
    """Return one figure. Raises KeyError if there is none of this name."""
    return FIGURES[key]


def compared_figures() -> dict[str, Figure]:
    """Return the figures that two results files are compared by, by their name there."""
    return {figure.compared.name: figure for figure in by_group() if figure.compared}


# What is new goes last: programs may read CSV by the place of a field.
for _module in (naming, size, times, ratios, agreement, accuracy, memory):
    register(*_module.FIGURES)
