"""What was tried for an artifact, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Generic, TypeVar

from edgekit_converters.mixed.net import Net

Model = TypeVar("Model")

# What keeping operators in float, or weights of more bits, must gain, and how much larger the file
# may become: the changes between integers and floats take up to 2 KB where the last layers of a
# small net stay in float.
LEAST_GAIN_DB = 1.0
MOST_BYTES, MOST_BYTES_SHARE = 2048, 0.02

# So many kinds are named; the others are counted.
NAMED = 4


@dataclass(frozen=True)
class Candidate(Generic[Model]):
    """One way to make an artifact.

    model: as it would be written. bytes: of it. level: its SQNR in dB on the samples that choose.
    """

    model: Model
    bytes: int
    level: float


def is_worth(tried: Candidate[Model], known: Candidate[Model]) -> bool:
    """Return whether one candidate is to be kept instead of another that does less."""
    allowed = max(MOST_BYTES, MOST_BYTES_SHARE * known.bytes)
    return gains(tried, known) and tried.bytes <= known.bytes + allowed


def gains(tried: Candidate[Model], known: Candidate[Model]) -> bool:
    """Return whether one candidate is better than another by enough; both may be exact."""
    return tried.level > known.level and tried.level >= known.level + LEAST_GAIN_DB


def floats_note(net: Net, floats: AbstractSet[str], reason: str) -> str:
    """Say which operators compute in float, and why."""
    kinds = Counter(one.kind for one in net.operators if one.name in floats)
    named = [f"{count} {kind}" for kind, count in kinds.most_common(NAMED)]
    if (more := len(floats) - sum(count for _, count in kinds.most_common(NAMED))) > 0:
        named.append(f"{more} more")
    shares = f"{len(floats)} of {len(net.operators)} operators compute in float"
    return f"{shares} ({', '.join(named)}): {reason}"


def gain_reason(before: float, after: float, samples: int) -> str:
    """Say what was gained on the samples that chose."""
    return (
        f"{before:.1f} dB became {after:.1f} on {samples} samples that neither calibrate nor "
        "are golden"
    )
