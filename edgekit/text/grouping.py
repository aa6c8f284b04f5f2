"""One sentence once, with all that it holds for."""

from __future__ import annotations

from collections.abc import Iterable


def grouped(said: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the names that each sentence is said of, in the order in which they come.

    Example:
        >>> grouped([("too large", "a"), ("fails", "b"), ("too large", "c")])
        {'too large': ['a', 'c'], 'fails': ['b']}
    """
    names: dict[str, list[str]] = {}
    for sentence, name in said:
        names.setdefault(sentence, []).append(name)
    return names
