"""Recipes: what is done to the weights.

A recipe is QUANTIZATION[+MODIFIER…], as int8 or int8+prune50. The quantizations are what the
formats declare (edgekit_converters.formats), and the modifiers are what
edgekit_converters.graph.modifiers finds; both say what each does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgekit_converters.formats import QUANTIZATIONS, RECIPES
from edgekit_converters.graph.modifiers import Modification, modifiers, parse_modifications
from edgekit_runtimes.errors import UsageError, unknown_name

DEFAULT_RECIPES = ("fp32", "fp16", "int8-weights")
DEFAULT_RECIPES_WITH_CALIBRATION = (*DEFAULT_RECIPES, "int8")


@dataclass(frozen=True)
class Planned:
    """What a plan adds to a recipe: see `edgekit.bundle.plan`.

    name: of the artifact, as "tuned-size". format: the one that it is for. layers: pairs of a
    layer's name and its own quantization.
    """

    name: str
    format: str
    layers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Recipe:
    """A quantization, and the modifiers that change the graph before it, in their order.

    planned: None except where a plan says what is done to single layers.
    """

    quantization: str
    modifications: tuple[Modification, ...] = ()
    planned: Planned | None = None

    def __str__(self) -> str:
        return self.planned.name if self.planned else self.word

    @property
    def word(self) -> str:
        """What is done to all layers that no plan names, as it is written."""
        return "+".join((self.quantization, *map(str, self.modifications)))

    def is_for(self, format_name: str) -> bool:
        """Return whether a format makes it."""
        return self.planned is None or self.planned.format == format_name


def parse_recipe(text: str) -> Recipe:
    """Return the recipe that `text` names. Raises UsageError for what is not a recipe."""
    quantization, *words = text.strip().split("+")
    if quantization not in QUANTIZATIONS:
        raise unknown_name("recipe", quantization, QUANTIZATIONS)
    return Recipe(quantization, parse_modifications(text.strip(), words))


def parse_recipes(text: str) -> tuple[Recipe, ...]:
    """Return the recipes of a list with commas, each once, in the order given."""
    return tuple(dict.fromkeys(parse_recipe(word) for word in split_words(text, "recipe")))


def rank(text: str) -> tuple[object, ...]:
    """Return the place of a recipe in a table: by its modifiers, then by its quantization.

    One that this edgekit does not know, as a newer one may have written it, comes last.
    """
    try:
        recipe = parse_recipe(text)
    except UsageError:
        return True, text
    order = [*modifiers()]
    modified = [(order.index(one.word), one.number) for one in recipe.modifications]
    return False, modified, QUANTIZATIONS.index(recipe.quantization)


def explain_recipes() -> list[tuple[str, str]]:
    """Return each quantization and modifier with what it buys and costs: a list for --help."""
    lines = []
    for name in QUANTIZATIONS:
        having = {form: recipes[name] for form, recipes in RECIPES.items() if name in recipes}
        first = next(iter(having.values()))
        limits = [", ".join(having)] if len(having) < len(RECIPES) else []
        if first.needs_calibration:
            limits.append("needs --calibration")
        lines.append((name, first.consequence + (f" ({'; '.join(limits)})" if limits else "")))
    for one in modifiers().values():
        lines.append((f"…+{one.word}{one.example}", one.consequence))
    return lines


def split_words(text: str, kind: str) -> Sequence[str]:
    """Return the words of a list with commas. Raises UsageError if there is none."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise UsageError(f"No {kind} given.")
    return words
