"""Plans: what is done to each layer, where a search chose it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from edgekit.bundle.recipe import Planned, Recipe, parse_recipe

# Enough of a hash that no two plans of a search share it.
NAME_DIGITS = 12


@dataclass(frozen=True)
class Plan:
    """How an artifact is made again from the same source.

    recipe: what is done to every layer that is not named, as "int8" or "int8+prune50".
    layers: the quantization of each of the others, by the name that its format gives it.
    """

    recipe: str
    layers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return it in a few words: "int8, 3 layers fp16"."""
        levels = sorted({*self.layers.values()})
        counts = [(sum(one == level for one in self.layers.values()), level) for level in levels]
        parts = [f"{count} {'layer' if count == 1 else 'layers'} {one}" for count, one in counts]
        return ", ".join((self.recipe, *parts))

    @property
    def key(self) -> str:
        """A name that only this plan has: the recipe itself where all layers are alike."""
        if not self.layers:
            return self.recipe
        text = "\0".join((self.recipe, *(f"{a}\0{b}" for a, b in sorted(self.layers.items()))))
        return f"mixed-{hashlib.sha256(text.encode()).hexdigest()[:NAME_DIGITS]}"

    def as_recipe(self, format_name: str, name: str) -> Recipe:
        """Return the recipe by which artifacts of one format follow it, under a name.

        Raises UsageError for a recipe that this edgekit does not have.
        """
        recipe = parse_recipe(self.recipe)
        layers = tuple(sorted(self.layers.items()))
        return Recipe(recipe.quantization, recipe.modifications, Planned(name, format_name, layers))


def plan_of(recipe: Recipe) -> Plan | None:
    """Return the plan that a recipe follows; None where it is only its word."""
    if recipe.planned is None:
        return None
    return Plan(recipe.word, dict(recipe.planned.layers))
