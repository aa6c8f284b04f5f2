"""All figures, in the order of CSV; tables sort them by their groups."""

from __future__ import annotations

import importlib
import pkgutil

from edgekit.results import figures
from edgekit.results.figures.figure import GROUPS, Figure

# Programs may read CSV by the place of a field: modules that are not named here come last.
FIRST_MODULES = ("naming", "size", "times", "ratios", "agreement", "accuracy", "memory")

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


def _register_all() -> None:
    """Register the FIGURES of each module of this folder."""
    names = {module.name for module in pkgutil.iter_modules(figures.__path__)} - {"registry"}
    for name in (*FIRST_MODULES, *sorted(names.difference(FIRST_MODULES))):
        module = importlib.import_module(f"{figures.__name__}.{name}")
        register(*getattr(module, "FIGURES", ()))


_register_all()
