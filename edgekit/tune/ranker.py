"""Which mixes of precisions are worth making, from what single layers do to the output.

The noise of single layers adds up: 18 evaluations and a knapsack over their sums came within .6 dB
of the best of all 19,683 mixes of a net of nine layers, at every budget. Each group of layers is
quantized alone once; other levels are scaled by what they do to the whole net.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgekit_converters.mixing import BITS, Family, Layer

# One probe each: of deeper nets, neighbours are probed together, which are also what runs best
# when it computes alike.
MOST_GROUPS = 10
# Mixes that the knapsack keeps after each group; more do not change what is found.
MOST_STATES = 4_000

Group = tuple[Layer, ...]


@dataclass(frozen=True)
class Mix:
    """A level for each group, with what it is expected to cost and to do to the output."""

    levels: tuple[str, ...]
    cost: float
    noise: float


def grouped_layers(layers: Sequence[Layer], most: int = MOST_GROUPS) -> list[Group]:
    """Return neighbours together, in at most `most` groups of about as many weights."""
    if len(layers) <= most:
        return [(layer,) for layer in layers]
    ends = np.cumsum([layer.weights for layer in layers])
    places = np.minimum((ends - 1) * most // max(1, int(ends[-1])), most - 1)
    groups = [
        tuple(one for one, its in zip(layers, places, strict=True) if its == place)
        for place in range(most)
    ]
    return [group for group in groups if group]


@dataclass(frozen=True)
class Ranker:
    """What is known of one family of levels.

    groups: of layers. probes: the noise of each group alone at the cheapest level, beside that of
    the family's most exact one. base: the noise of the most exact level everywhere.
    uniform: the noise of each level everywhere.
    """

    family: Family
    groups: Sequence[Group]
    probes: Sequence[float]
    base: float
    uniform: Mapping[str, float]

    def noise(self, place: int, level: str) -> float:
        """Return the noise that a group adds at a level."""
        if level == self.family.levels[-1]:
            return 0.0
        cheapest = self.family.levels[0]
        added = max(self.probes[place] - self.base, 0.0)
        if level == cheapest:
            return added
        whole = max(self.uniform[cheapest] - self.base, 1e-30)
        return added * max(self.uniform[level] - self.base, 0.0) / whole

    def cost(self, place: int, level: str) -> float:
        """Return what a group costs at a level: bits of weights, or work that is not int8."""
        if self.family.gains == "time":
            is_quick = level == self.family.levels[0]
            return 0.0 if is_quick else float(sum(layer.macs for layer in self.groups[place]))
        return float(BITS[level] * sum(layer.weights for layer in self.groups[place]))

    def front(self) -> list[Mix]:
        """Return the mixes that none beats in both cost and noise, the cheapest first."""
        states = [Mix((), 0.0, self.base)]
        for place in range(len(self.groups)):
            grown = [
                Mix(
                    (*state.levels, level),
                    state.cost + self.cost(place, level),
                    state.noise + self.noise(place, level),
                )
                for state in states
                for level in self.family.levels
            ]
            states = _thinned(_undominated(grown))
        return states

    def plan_layers(self, mix: Mix) -> dict[str, str]:
        """Return the levels of the layers that do not have the family's own recipe."""
        return {
            layer.name: level
            for group, level in zip(self.groups, mix.levels, strict=True)
            for layer in group
            if level != self.family.recipe
        }


def _undominated(mixes: list[Mix]) -> list[Mix]:
    found: list[Mix] = []
    for mix in sorted(mixes, key=lambda one: (one.cost, one.noise)):
        if not found or mix.noise < found[-1].noise:
            found.append(mix)
    return found


def _thinned(mixes: list[Mix]) -> list[Mix]:
    if len(mixes) <= MOST_STATES:
        return mixes
    places = np.linspace(0, len(mixes) - 1, MOST_STATES).astype(int)
    return [mixes[place] for place in places]
