"""Recipes: what is done to the weights.

The grammar is QUANTIZATION[+prunePERCENT]:

    fp32           as trained
    fp16           weights as 16-bit floats
    int8-weights   weights as 8-bit integers, computing in float: smaller, not faster
    int8-dynamic   8-bit weights, activations quantized while running
    int8           weights and activations 8-bit (static: needs calibration data)
    int16x8        16-bit activations, 8-bit weights (static: needs calibration data)
    int4-dynamic   4-bit weights, activations quantized while running
    …+prune50      the 50 % smallest weights of each kernel set to zero first: a smaller download
                   once compressed, no speed
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edgekit_runtimes.errors import UsageError, unknown_name

QUANTIZATIONS = (
    "fp32",
    "fp16",
    "int8-weights",
    "int8-dynamic",
    "int8",
    "int16x8",
    "int4-dynamic",
)
STATIC_QUANTIZATIONS = ("int8", "int16x8")
DEFAULT_RECIPES = ("fp32", "fp16", "int8-weights")
DEFAULT_RECIPES_WITH_CALIBRATION = (*DEFAULT_RECIPES, "int8")


@dataclass(frozen=True)
class Recipe:
    """A quantization, and how many percent of the weights are pruned (0: none)."""

    quantization: str
    prune: int = 0

    @property
    def is_static(self) -> bool:
        """Whether calibration data is needed."""
        return self.quantization in STATIC_QUANTIZATIONS

    def __str__(self) -> str:
        return f"{self.quantization}+prune{self.prune}" if self.prune else self.quantization


def parse_recipe(text: str) -> Recipe:
    """Return the recipe that `text` names. Raises UsageError where it is none."""
    quantization, plus, pruning = text.strip().partition("+")
    if quantization not in QUANTIZATIONS:
        raise unknown_name("recipe", quantization, QUANTIZATIONS)
    if not plus:
        return Recipe(quantization)
    match = re.fullmatch(r"prune(\d{1,2})", pruning)
    if match is None or int(match[1]) == 0:
        raise UsageError(
            f"Unknown recipe '{text}': after the '+' only prune1 to prune99 may stand, "
            f"as in {quantization}+prune50."
        )
    return Recipe(quantization, int(match[1]))


def parse_recipes(text: str) -> tuple[Recipe, ...]:
    """Return the recipes of a list with commas, each once, in the order given."""
    return tuple(dict.fromkeys(parse_recipe(word) for word in split_words(text, "recipe")))


def split_words(text: str, kind: str) -> Sequence[str]:
    """Return the words of a list with commas. Raises UsageError where there is none."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise UsageError(f"No {kind} given.")
    return words
