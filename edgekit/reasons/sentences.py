"""What a reason is found from, and the words that reasons are told in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edgekit.inspect.model import IN_FLOAT, IN_INT8, Graph
from edgekit.results.reason import Reason
from edgekit.text.units import COUNT_UNITS, pick_unit, significant
from edgekit_runtimes.execution import Execution

if TYPE_CHECKING:
    from edgekit.results.results import Row

# Less than this share of the work is not a reason by itself.
SIZEABLE = 0.1
# The most operators that a text names.
NAMED_OPS = 3


@dataclass(frozen=True)
class Case:
    """What is known about one artifact that is not faster.

    graph, reference_graph: of the artifact, and of the fp32 one of its format; None if a file
    could not be read here.
    execution, reference_execution: how the engine ran them; None if it does not say.
    environment: what the device said about itself.
    """

    row: Row
    graph: Graph | None = None
    reference_graph: Graph | None = None
    reference_execution: Execution | None = None
    environment: Mapping[str, Any] = field(default_factory=dict)
    threads: int = 1

    @property
    def execution(self) -> Execution | None:
        """How the engine ran the artifact."""
        return self.row.execution


# What finds a reason in a case, or None.
Rule = Callable[[Case], Reason | None]


# --- Words --------------------------------------------------------------------------------------


def macs_facts(graph: Graph) -> dict[str, Any]:
    """Return the multiply-accumulates of a graph: all, those in int8, those in float."""
    return {
        "macs": graph.macs,
        "int8_macs": graph.macs_in(IN_INT8),
        "float_macs": graph.macs_in(IN_FLOAT),
    }


def share_of(part: int, whole: int) -> str:
    """Return two counts in one unit, as "0 of 7.45 M multiply-accumulates"."""
    unit = pick_unit([whole], COUNT_UNITS)
    figures = f"{significant(part / unit.size)} of {significant(whole / unit.size)}"
    return f"{figures}{f' {unit.word}' if unit.word else ''} multiply-accumulates"


def counted(value: int) -> str:
    """Return a count with three digits, as "7.45 M"."""
    unit = pick_unit([value], COUNT_UNITS)
    return f"{significant(value / unit.size)} {unit.word}".strip()


def percent_of(share: float) -> str:
    """Return a share with three digits, as "6.91 %"."""
    return f"{significant(100 * share)} %"


def number_of(count: int, word: str) -> str:
    """Return a count with its noun, as "1 node" or "2 nodes"."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def ops_of(ops: Mapping[str, int]) -> str:
    """Return the most frequent operators, as "17 DEPTHWISE_CONV_2D, 2 ADD"."""
    common = Counter(ops).most_common()
    named = [f"{count} {op}" for op, count in common[:NAMED_OPS]]
    rest = sum(count for _, count in common[NAMED_OPS:])
    return ", ".join([*named, *([f"{rest} others"] if rest else [])])
