"""Modifiers: what changes the frozen graph before a format sees it, as `+prune50`.

Each is a module of this folder with a MODIFIER, which is found here without being named anywhere
else. Such a module imports nothing heavy: grammar, help and documents are made from it.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from edgekit_runtimes.errors import UsageError

if TYPE_CHECKING:
    from edgekit_converters.graph.frozen import FrozenGraph


@dataclass(frozen=True)
class Modifier:
    """One kind of change.

    word, lowest, highest: as it is written: prune1 to prune99. example: a usual number.
    place: modifiers are written and applied from the lowest place to the highest: what changes
        shapes (10) before what changes values (20 and more), which would be lost otherwise.
    apply: called with the frozen graph and the number; returns another graph. Raises
        NotAvailableError where the model has nothing to change, or cannot be changed so.
    consequence: what is done, and what it buys and costs, for --help and the documents.
    advice: what to try where fidelity is low.
    """

    word: str
    place: int
    apply: Callable[[FrozenGraph, int], FrozenGraph]
    consequence: str
    advice: str
    lowest: int = 1
    highest: int = 99
    example: int = 50

    @property
    def words(self) -> str:
        """How it may be written."""
        return f"{self.word}{self.lowest} to {self.word}{self.highest}"


class Modification(NamedTuple):
    """A modifier with its number."""

    word: str
    number: int

    def __str__(self) -> str:
        return f"{self.word}{self.number}"


@functools.cache
def modifiers() -> Mapping[str, Modifier]:
    """Return all modifiers by their words, in the order in which they are applied."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    found = [importlib.import_module(f"{__name__}.{name}").MODIFIER for name in names]
    return {one.word: one for one in sorted(found, key=lambda one: (one.place, one.word))}


def parse_modifications(recipe: str, words: Iterable[str]) -> tuple[Modification, ...]:
    """Return the modifiers that follow the quantization of a recipe.

    Raises UsageError for an unknown word or a wrong number, for a modifier given twice, and for an
    order other than the one in which they are applied: one recipe has one name.
    """
    found = tuple(_parse(recipe, word) for word in words)
    places = [[*modifiers()].index(one.word) for one in found]
    twice = [one.word for number, one in enumerate(found) if places.index(places[number]) < number]
    if twice:
        raise UsageError(f"The recipe '{recipe}' names {twice[0]} twice. Give it once.")
    if places != sorted(places):
        ordered = [one for _, one in sorted(zip(places, found, strict=True))]
        written = "+".join((recipe.split("+")[0], *map(str, ordered)))
        raise UsageError(
            f"The recipe '{recipe}' names its modifiers in an order other than the one in "
            f"which they are applied. Write it as {written}."
        )
    return found


def modify(graph: FrozenGraph, modifications: Iterable[Modification]) -> FrozenGraph:
    """Return the graph changed by one modifier after the other. Raises NotAvailableError."""
    for one in modifications:
        graph = modifiers()[one.word].apply(graph, one.number)
    return graph


def _parse(recipe: str, text: str) -> Modification:
    match = re.fullmatch(r"([a-z]+)([1-9]\d*)", text)
    modifier = modifiers().get(match[1]) if match else None
    if match and modifier and modifier.lowest <= int(match[2]) <= modifier.highest:
        return Modification(modifier.word, int(match[2]))
    known = list(modifiers().values())
    example = modifier or known[0]
    raise UsageError(
        f"Unknown recipe '{recipe}': after the '+' only {' or '.join(one.words for one in known)} "
        f"may follow, as in {recipe.split('+')[0]}+{example.word}{example.example}."
    )
