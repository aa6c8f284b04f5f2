"""All cases of the zoo."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from zoo import applications, convolutions, forms, layers, operations, preprocessing, recurrent
from zoo.case import Case

TABLES = (convolutions, recurrent, layers, preprocessing, operations, forms, applications)


def all_cases() -> list[Case]:
    """Return every case; each has an id of its own."""
    cases = [case for table in TABLES for case in table.cases()]
    counts = Counter(case.id for case in cases)
    cases = [_with_feeds(case) if counts[case.id] > 1 else case for case in cases]
    twice = [name for name, count in Counter(case.id for case in cases).items() if count > 1]
    if twice:
        raise ValueError(f"two cases are called the same: {', '.join(twice)}")
    return cases


def _with_feeds(case: Case) -> Case:
    """Return a case that says in its name what it is fed."""
    return replace(case, name=f"{case.name} of {', '.join(map(str, case.feeds))}")
