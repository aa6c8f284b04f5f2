"""The Pareto front: the artifacts that no other one beats in size and time at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def front(sizes: Sequence[float], is_faster: Callable[[int, int], bool]) -> list[int]:
    """Return the numbers of the points on the front, from the smallest size on.

    is_faster: whether one point is shown to be faster than another, as verdicts say. A larger point
    is on the front only if it is faster than every smaller one there: what cannot be told from
    a mark on the front does not displace it, nor join it. Of points of one size those stay that no
    other is shown to beat.

    Example:
        >>> times = [1, 3, 3, 2, 1]
        >>> front([3, 1, 3, 2, 4], lambda one, other: times[one] < times[other])
        [1, 3, 0]
    """
    found: list[int] = []
    for number in sorted(range(len(sizes)), key=sizes.__getitem__):
        others = [other for other in range(len(sizes)) if sizes[other] == sizes[number]]
        smaller = [other for other in found if sizes[other] < sizes[number]]
        is_beaten = any(is_faster(other, number) for other in others if other != number)
        if not is_beaten and all(is_faster(number, other) for other in smaller):
            found.append(number)
    return found
