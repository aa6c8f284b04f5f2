"""Uniform candidates: every recipe of a format, and modifiers on those that hold."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.bundle.plan import Plan
from edgekit.bundle.recipe import parse_recipe
from edgekit.tune.candidate import MEASURED, Candidate, Objective
from edgekit_converters.formats import RECIPES
from edgekit_converters.graph.modifiers import modifiers

# Modifiers are tried on so many of the recipes that hold, the best first.
MODIFIED = 1


# Ten times as slow as int8, and no smaller.
SLOW = frozenset({"int16x8"})
# As many bytes as int8-weights, and less exact.
ONLY_QUICKER = frozenset({"int8-dynamic"})


def uniform(format_name: str, calibrated: bool, objectives: Sequence[Objective]) -> list[Candidate]:
    """Return a candidate for each quantization of a format that an objective may gain from.

    calibrated: whether there is data for those that need it.
    """
    timed = any(one in MEASURED for one in objectives)
    useless = SLOW if timed else SLOW | ONLY_QUICKER
    return [
        Candidate(format_name, Plan(name))
        for name, recipe in RECIPES[format_name].items()
        if name not in useless and (calibrated or not recipe.needs_calibration)
    ]


def modified(best: Sequence[Candidate]) -> list[Candidate]:
    """Return the first of the candidates with each modifier, by its usual number."""
    return [
        Candidate(one.format, Plan(f"{one.plan.recipe}+{modifier.word}{modifier.example}"))
        for one in best[:MODIFIED]
        if not one.plan.layers and not parse_recipe(one.plan.recipe).modifications
        for modifier in modifiers().values()
    ]
