"""Gates: budgets that results must hold.

    [WORDS] METRIC<=VALUE[UNIT]         or >=, < and >

    size<=300KB
    wire.brotli <= 250KB
    tflite/int8 latency.p90<=5ms
    board:pi5 int8 instructions<=2M
    onnx/* host accuracy.max_degradation<=1%

Words in front limit a gate to the rows that all of them name: a device, an artifact, a format or a
recipe, with * for anything. Without words it is for every artifact that has the metric. The
original is not shipped, so it is judged only where a gate names it.

Figures with an interval are judged at its pessimistic end: the high one against `<=`, the low one
against `>=`. A row that failed breaks each gate that concerns it, and so does NaN. A row that is
not available breaks none, but a gate that meets no row at all is broken: a budget for a name with
a slip in it must not look as if it held.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from edgekit.gates.metrics import ALIASES, METRICS, REGRESSIONS, Metric
from edgekit.gates.readings import Finding, Reading
from edgekit.gates.units import PERCENTAGE, SHARE, Limit, parse_limit
from edgekit.results.plan import ORIGINAL
from edgekit.results.results import Results, Row
from edgekit_runtimes.errors import UsageError

Comparison = Literal["<=", "<", ">=", ">"]

NO_INTERVAL = "it has no interval: it was measured in one process, or on too few samples"

_GATE = re.compile(r"\s*(?P<front>[^<>=]*?)\s*(?P<comparison><=|>=|<|>)(?P<limit>[^<>=]*)")


@dataclass(frozen=True)
class Gate:
    """A budget.

    words: what limits it to certain rows.
    is_lenient: whether meeting no row leaves it unbroken.
    """

    text: str
    words: tuple[str, ...]
    metric: Metric
    comparison: Comparison
    limit: Limit
    is_lenient: bool = False

    @property
    def is_upper(self) -> bool:
        """Whether it is broken by too much, not by too little."""
        return self.comparison in ("<=", "<")

    @property
    def is_regression(self) -> bool:
        """Whether it compares with older results."""
        return self.metric.read is None

    def selects(self, row: Row) -> bool:
        """Whether its words name this row."""
        if row.id == ORIGINAL and ORIGINAL not in self.words:
            return False
        return all(any(_fits(word, name) for name in names_of(row)) for word in self.words)

    def judge(self, row: Row, finding: Finding, run: int = 0) -> Verdict | None:
        """Return the verdict on what was found in a row; None where that is not its business."""
        if row.status == "not available" or finding is None:
            return None
        if isinstance(finding, str):
            return Verdict(self, row.device, row.id, False, reason=finding, run=run)
        end = finding.high if self.is_upper else finding.low
        reason = "it is NaN" if _is_nan(finding) else NO_INTERVAL if end is None else None
        is_held = reason is None and end is not None and self._holds(end)
        return Verdict(self, row.device, row.id, is_held, finding.value, end, reason, run)

    def _holds(self, value: float) -> bool:
        limit = self.limit.value
        # 29% is .29 only to sixteen digits.
        is_at_limit = math.isclose(value, limit, rel_tol=1e-12)
        if is_at_limit:
            return self.comparison in ("<=", ">=")
        return value < limit if self.is_upper else value > limit


@dataclass(frozen=True)
class Verdict:
    """What a gate says of one row, in base units.

    device, id: None where the gate met no row.
    value: as measured. judged: the pessimistic end of its interval.
    reason: why it is broken where no figure says so.
    run: which of several results, from 0.
    """

    gate: Gate
    device: str | None
    id: str | None
    is_held: bool
    value: float | None = None
    judged: float | None = None
    reason: str | None = None
    run: int = 0

    @property
    def slack(self) -> float:
        """How far the limit is from being broken, in base units: the least is the worst."""
        if self.judged is None or math.isnan(self.judged):
            return -math.inf
        distance = self.gate.limit.value - self.judged
        return distance if self.gate.is_upper else -distance

    def to_json(self, runs: Sequence[str] = ()) -> dict[str, Any]:
        """Return the JSON form; NaN and infinite values are strings.

        runs: the names of the results.
        """
        return {
            "gate": self.gate.text,
            "metric": self.gate.metric.name,
            "device": self.device,
            "id": self.id,
            "held": self.is_held,
            "value": json_number(self.value),
            "judged": json_number(self.judged),
            "limit": self.gate.limit.value,
            "reason": self.reason,
            "results": runs[self.run] if runs and self.id is not None else None,
        }


def json_number(value: float | None) -> float | str | None:
    """Return a number as JSON can hold it: NaN and infinite values are strings."""
    return value if value is None or math.isfinite(value) else str(value)


def _is_nan(reading: Reading) -> bool:
    ends = (reading.value, reading.low, reading.high)
    return any(end is not None and math.isnan(end) for end in ends)


def names_of(row: Row) -> tuple[str, ...]:
    """Return what a gate may call a row."""
    return (row.device, row.id, row.format, row.recipe)


def _fits(word: str, name: str) -> bool:
    return re.fullmatch(re.escape(word).replace(r"\*", ".*"), name) is not None


# --- Reading ------------------------------------------------------------------------------------


def parse_gate(text: str) -> Gate:
    """Return the gate that `text` says. Raises UsageError with the nearest metric or unit.

    Example:
        >>> gate = parse_gate("tflite/int8 latency.p90 <= 5ms")
        >>> gate.words, gate.metric.name, gate.limit.value
        (('tflite/int8',), 'latency.p90', 5000000.0)
    """
    match = _GATE.fullmatch(text)
    *words, name = match["front"].split() if match and match["front"].strip() else ["", ""]
    if match is None or not name:
        raise UsageError(
            f"Gate '{text}' is not understood. Write METRIC<=VALUE, as in size<=300KB, with <=, "
            ">=, < or >."
        )
    metric = _metric(name, text)
    try:
        limit = parse_limit(match["limit"], metric.quantity, metric.name)
    except UsageError as error:
        raise UsageError(f"Gate '{text}': {error}") from None
    comparison = cast(Comparison, match["comparison"])
    gate = Gate(" ".join(text.split()), tuple(words), metric, comparison, limit)
    if metric.side == "at most" and not gate.is_upper:
        raise UsageError(f"Gate '{text}': {metric.name} is the most that may be. Write <=.")
    if metric.side == "at least" and gate.is_upper:
        raise UsageError(f"Gate '{text}': {metric.name} is the least that must be. Write >=.")
    if metric.side == "at most" and metric.quantity is SHARE and limit.value >= 1:
        raise UsageError(f"Gate '{text}' could never break: 1 is 100 %. Write 1% or 0.01.")
    return gate


def regression_gate(figure: str, limit: str) -> Gate:
    """Return the gate on one figure that --max-regression asks for, where it is measured at all.

    Raises UsageError where `limit` is no percentage.
    """
    metric = REGRESSIONS[f"{figure}.max_regression"]
    value = parse_limit(limit, PERCENTAGE, "--max-regression")
    return Gate(f"{metric.name}<={limit}", (), metric, "<=", value, is_lenient=True)


def _metric(name: str, text: str) -> Metric:
    known = {**METRICS, **REGRESSIONS}
    metric = known.get(ALIASES.get(name, name))
    if metric is None:
        nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
        raise UsageError(
            f"Unknown metric '{name}' in gate '{text}'.{hint} `edgekit check --help` lists them."
        )
    return metric


def merge_gates(general: Iterable[Gate], special: Sequence[Gate]) -> list[Gate]:
    """Return both, without those general ones that a special one replaces.

    A gate replaces another of the same words, metric and direction.
    """
    replaced = {_key(gate) for gate in special}
    return [*(gate for gate in general if _key(gate) not in replaced), *special]


def _key(gate: Gate) -> tuple[frozenset[str], str, bool]:
    return frozenset(gate.words), gate.metric.name, gate.is_upper


# --- Judging ------------------------------------------------------------------------------------


def judge(gates: Sequence[Gate], runs: Sequence[Results]) -> list[Verdict]:
    """Return a verdict for each gate and row that it concerns, gate after gate.

    runs: the rows of all of them are judged alike.
    """
    rows = [row for results in runs for row in results.rows]
    verdicts: list[Verdict] = []
    for gate in gates:
        found = [
            verdict
            for number, results in enumerate(runs)
            for row in results.rows
            if gate.selects(row) and gate.metric.concerns(row)
            for verdict in (gate.judge(row, _finding(gate.metric, row, results), number),)
            if verdict is not None
        ]
        verdicts += found or missing(gate, rows)
    return verdicts


def _finding(metric: Metric, row: Row, results: Results) -> Finding:
    if row.status == "failed":
        return failed_reason(row)
    return metric.read(row, results) if metric.read else None


def failed_reason(row: Row) -> str:
    """Return why a row that failed breaks its gates."""
    return f"it failed: {row.reason}"


def missing(gate: Gate, rows: Sequence[Row]) -> list[Verdict]:
    """Return the verdict on a gate that met none of `rows`."""
    if gate.is_lenient:
        return []
    return [Verdict(gate, None, None, False, reason=_why_none(gate, rows))]


def _why_none(gate: Gate, rows: Sequence[Row]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in names_of(row)))
    for word in gate.words:
        if not any(_fits(word, name) for name in names):
            nearest = difflib.get_close_matches(word, names, n=1)
            hint = f"; did you mean '{nearest[0]}'?" if nearest else ""
            return f"no row is called '{word}'{hint}"
    selected = [row for row in rows if gate.selects(row)]
    if not selected:
        words = " and ".join(f"'{word}'" for word in gate.words)
        return f"no row is {words} at once" if words else "the results hold no artifact"
    absent = next((row for row in selected if row.status == "not available"), None)
    if absent is not None and all(row.status == "not available" for row in selected):
        return f"no row was measured: {absent.id} on {absent.device} is not available there"
    origin = f": {gate.metric.origin}" if gate.metric.origin else ""
    return f"no row has {gate.metric.name}{origin}"
