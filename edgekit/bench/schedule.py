"""Which worker processes measure what.

1. A *check* of each artifact alone: it loads, runs once and reports its outputs on the golden
   samples. What fails here takes no further part.
2. Timing, in groups that are measured interleaved in one process: first the original (if any)
   beside the fp32 artifact of each format, then each other artifact beside the fp32 artifact of
   its format.

Every group runs in several fresh processes. Groups take turns, so that a slow minute of the
machine meets all of them and not one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgekit.inspect.subject import Subject
from edgekit.results.plan import ORIGINAL


@dataclass(frozen=True)
class Group:
    """Models measured interleaved in one process.

    members: ids in the order in which they are loaded and begin.
    timed: the members whose times are kept from this group; the others are there to compare with.
    """

    members: tuple[str, ...]
    timed: tuple[str, ...]


def reference_of(subject: Subject, subjects: Sequence[Subject]) -> Subject | None:
    """Return the fp32 artifact that `subject` is compared with, or None."""
    if subject.is_reference:
        return None
    same_format = (other for other in subjects if other.format == subject.format)
    return next((other for other in same_format if other.is_reference), None)


def groups(subjects: Sequence[Subject], with_original: bool) -> list[Group]:
    """Return the groups in which `subjects` (those that passed their check) are measured."""
    references = tuple(subject.id for subject in subjects if subject.is_reference)
    first = ((ORIGINAL,) if with_original else ()) + references
    result = [Group(first, first)] if first else []
    for subject in subjects:
        if not subject.is_reference:
            reference = reference_of(subject, subjects)
            members = (reference.id, subject.id) if reference else (subject.id,)
            result.append(Group(members, (subject.id,)))
    return result


def schedule(groups: Sequence[Group], processes: int) -> Iterator[tuple[int, Group]]:
    """Yield (process number, group) in the order in which they run.

    In every other process the members stand in reverse, so that being first (loaded into fresh
    memory, measured first after warm-up) favours none of them.
    """
    for process in range(processes):
        for group in groups:
            members = group.members if process % 2 == 0 else group.members[::-1]
            yield process, Group(members, group.timed)
