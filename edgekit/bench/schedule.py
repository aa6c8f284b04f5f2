"""Which worker processes measure what.

1. A *check* of each artifact alone: it loads, runs once and reports its outputs on the golden
   samples. What fails here takes no further part.
2. Timing, in groups that are measured interleaved in one process: first the original (if any)
   beside the fp32 artifact of each format and engine, then each other artifact beside the fp32
   artifact of its format, run by the same engine. Where a device has several workers (Python's
   and Node's), what another worker runs than the original's is in a group of its own.

Every group runs in several fresh processes. Groups take turns, so that a slow minute of the machine
affects all of them and not one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgekit.bench.candidates import Candidate, reference_of
from edgekit.results.plan import ORIGINAL


@dataclass(frozen=True)
class TimedGroup:
    """Models measured interleaved in one process.

    members: ids in the order in which they are loaded and begin.
    timed: the members whose times are kept from this group; the others are there to compare with.
    """

    members: tuple[str, ...]
    timed: tuple[str, ...]


def groups(
    candidates: Sequence[Candidate], with_original: bool, original_worker: str = ""
) -> list[TimedGroup]:
    """Return the groups in which `candidates` (those that passed their check) are measured.

    original_worker: which of the device's workers runs the original.
    """
    together: dict[str, tuple[str, ...]] = {original_worker: (ORIGINAL,)} if with_original else {}
    for candidate in candidates:
        if candidate.is_reference:
            worker = candidate.engine.worker
            together[worker] = (*together.get(worker, ()), candidate.id)
    result = [TimedGroup(members, members) for members in together.values()]
    for candidate in candidates:
        if not candidate.is_reference:
            reference = reference_of(candidate, candidates)
            members = (reference.id, candidate.id) if reference else (candidate.id,)
            result.append(TimedGroup(members, (candidate.id,)))
    return result


def schedule(groups: Sequence[TimedGroup], processes: int) -> Iterator[tuple[int, TimedGroup]]:
    """Yield (process number, group) in the order in which they run.

    In every other process the members are in reverse order, so that being first (loaded into fresh
    memory, measured first after warm-up) favours none of them.
    """
    for process in range(processes):
        for group in groups:
            members = group.members if process % 2 == 0 else group.members[::-1]
            yield process, TimedGroup(members, group.timed)
