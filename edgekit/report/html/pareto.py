"""The Pareto front: the artifacts that no other one beats in size and time at once."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.results.statistics import NOISE


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the numbers of the points on the front, from the smallest size on.

    points: (size, time) each, both better where they are less. A larger one must be faster by
    more than the noise; points that are the same are on it together.

    Example:
        >>> front([(3, 1), (1, 3), (3, 3), (2, 2), (4, 1)])
        [1, 3, 0]
    """
    best = float("inf")
    found: list[int] = []
    for number in sorted(range(len(points)), key=points.__getitem__):
        is_twin = bool(found) and points[found[-1]] == points[number]
        if points[number][1] < best * (1 - NOISE) or is_twin:
            found.append(number)
            best = points[number][1]
    return found
