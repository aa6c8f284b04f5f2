"""Gates: budgets that results must hold.

    [WORDS] FIGURE<=VALUE[UNIT]         or >=, < and >

    size<=300KB
    wire.brotli <= 250KB
    tflite/int8 latency.p90<=5ms
    board:pi5 int8 instructions<=2M
    onnx/* host accuracy.max_degradation<=1%

Words in front limit a gate to the rows that all of them name: a device, an engine, an artifact, a
format or a recipe, with * for anything. Without words it is for every artifact that has the figure.
The original is not shipped, so it is judged only where a gate names it.

Figures with an interval are judged at its pessimistic end: the high one against `<=`, the low one
against `>=`. A row that failed breaks each gate that concerns it, and so does NaN. A row that is
not available breaks none, but a gate that matches no row at all is broken: a budget with a misspelt
name must not look as if it held.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from edgekit.gates.goals import Goal, aliases, goals, regressions
from edgekit.gates.limits import Limit, parse_limit
from edgekit.results import ORIGINAL
from edgekit.results.results import Row
from edgekit.text.quantities import PERCENTAGE, SHARE
from edgekit_runtimes.errors import UsageError

Operator = Literal["<=", "<", ">=", ">"]

_GATE = re.compile(r"\s*(?P<front>[^<>=]*?)\s*(?P<operator><=|>=|<|>)(?P<limit>[^<>=]*)")


@dataclass(frozen=True)
class Gate:
    """A budget.

    words: what limits it to certain rows.
    is_lenient: whether it holds if it matches no row.
    """

    text: str
    words: tuple[str, ...]
    goal: Goal
    operator: Operator
    limit: Limit
    is_lenient: bool = False

    @property
    def is_upper(self) -> bool:
        """Whether it is broken by too much, not by too little."""
        return self.operator in ("<=", "<")

    @property
    def is_regression(self) -> bool:
        """Whether it compares with older results."""
        return self.goal.read is None

    def selects(self, row: Row) -> bool:
        """Whether its words name this row."""
        if row.id == ORIGINAL and ORIGINAL not in self.words:
            return False
        return all(any(fits(word, name) for name in names_of(row)) for word in self.words)

    def holds(self, value: float) -> bool:
        """Whether a value in base units is within the limit."""
        limit = self.limit.value
        # 29% is .29 only to sixteen digits.
        is_at_limit = math.isclose(value, limit, rel_tol=1e-12)
        if is_at_limit:
            return self.operator in ("<=", ">=")
        return value < limit if self.is_upper else value > limit


def json_number(value: float | None) -> float | str | None:
    """Return a number as JSON can hold it: NaN and infinite values are strings."""
    return value if value is None or math.isfinite(value) else str(value)


def names_of(row: Row) -> tuple[str, ...]:
    """Return what a gate may call a row."""
    engine = (row.engine,) if row.engine else ()
    return (row.device, row.id, row.format, row.recipe, *engine)


def fits(word: str, name: str) -> bool:
    """Return whether a word of a gate, with * for anything, is a name."""
    return re.fullmatch(re.escape(word).replace(r"\*", ".*"), name) is not None


# --- Reading ------------------------------------------------------------------------------------


def parse_gate(text: str) -> Gate:
    """Return the gate that `text` describes. Raises UsageError with the nearest figure or unit.

    Example:
        >>> gate = parse_gate("tflite/int8 latency.p90 <= 5ms")
        >>> gate.words, gate.goal.name, gate.limit.value
        (('tflite/int8',), 'latency.p90', 5000000.0)
    """
    match = _GATE.fullmatch(text)
    *words, name = match["front"].split() if match and match["front"].strip() else ["", ""]
    if match is None or not name:
        raise UsageError(
            f"Gate '{text}' is not understood. Write FIGURE<=VALUE, as in size<=300KB, with <=, "
            ">=, < or >."
        )
    goal = _goal(name, text)
    try:
        limit = parse_limit(match["limit"], goal.quantity, goal.name)
    except UsageError as error:
        raise UsageError(f"Gate '{text}': {error}") from None
    operator = cast(Operator, match["operator"])
    gate = Gate(" ".join(text.split()), tuple(words), goal, operator, limit)
    if goal.side == "at most" and not gate.is_upper:
        raise UsageError(f"Gate '{text}': {goal.name} is an upper bound. Write <=.")
    if goal.side == "at least" and gate.is_upper:
        raise UsageError(f"Gate '{text}': {goal.name} is a lower bound. Write >=.")
    if goal.side == "at most" and goal.quantity is SHARE and limit.value >= 1:
        raise UsageError(f"Gate '{text}' could never break: 1 is 100 %. Write 1% or 0.01.")
    return gate


def general_gates(limit: str) -> list[Gate]:
    """Return the gates that --max-regression asks for, where their figures are measured at all.

    Left out are the ratio, which changes with fp32's time as well, memory, which differs a little
    each time for the same artifact, and figures that say the same as one of these. Raises
    UsageError if `limit` is not a percentage.
    """
    value = parse_limit(limit, PERCENTAGE, "--max-regression")
    return [
        Gate(f"{goal.name}<={limit}", (), goal, "<=", value, is_lenient=True)
        for goal in regressions().values()
        if goal.figure.compared and goal.figure.compared.is_general
    ]


def _goal(name: str, text: str) -> Goal:
    known = {**goals(), **regressions()}
    goal = known.get(aliases().get(name, name))
    if goal is None:
        nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
        raise UsageError(
            f"Unknown figure '{name}' in gate '{text}'.{hint} `edgekit check --help` lists them."
        )
    return goal


def merge_gates(general: Iterable[Gate], special: Sequence[Gate]) -> list[Gate]:
    """Return both, without those general ones that a special one replaces.

    A gate replaces another of the same words, figure and direction.
    """
    replaced = {_key(gate) for gate in special}
    return [*(gate for gate in general if _key(gate) not in replaced), *special]


def _key(gate: Gate) -> tuple[frozenset[str], str, bool]:
    return frozenset(gate.words), gate.goal.name, gate.is_upper
