"""Why an artifact is not faster than fp32: reasons found from facts, not guesses.

The facts: what is in the file (`edgekit.inspect`), what its engine makes of it (`Execution`),
what the device said about itself, and the measurement. Each rule looks at these and gives a
`Reason` with the figures it rests on, or None. RULES is their order, the most telling first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edgekit.reasons import in_file, in_run
from edgekit.reasons.sentences import Case, Rule
from edgekit.results.reason import Reason
from edgekit.text.units import significant

if TYPE_CHECKING:
    from edgekit.inspect.subject import Subject
    from edgekit.results.results import Row

GAINS, LOSSES = ("faster", "fewer"), ("slower", "more")

UNKNOWN = Reason("unknown", "no reason was found in the file, its engine or the device")

# More than what computing in float or a noisy interval can explain: storing weights small costs
# their expansion at most, which was never seen over 1.2 of fp32's time.
SLOW_RATIO = 1.3
# Rules that may explain such a factor, by their codes.
EXPLAINING = frozenset(
    {
        *("outside-delegate", "more-nodes", "dynamic", "float-islands", "int16"),
        *("cpu-features", "wasm-features"),
    }
)

RULES: tuple[Rule, ...] = (
    in_file.computes_in_float,
    in_file.computes_partly_in_int8,
    in_file.multiplies_16_bits,
    in_run.stays_outside_the_delegate,
    in_file.quantizes_in_each_run,
    in_file.has_float_islands,
    in_run.runs_more_nodes,
    in_file.multiplies_zeros,
    in_run.lacks_int8_instructions,
    in_run.lacks_int8_in_webassembly,
    in_run.has_more_threads_than_cores,
    in_run.was_held_back,
    in_run.is_drawn_by_software,
    in_file.is_tiny,
    in_run.has_a_wide_interval,
)


def with_reasons(
    rows: Iterable[Row],
    subjects: Sequence[Subject],
    environments: Mapping[str, Mapping[str, Any]],
    threads: int,
) -> list[Row]:
    """Return the rows; those that are not faster than fp32 with their reasons."""
    rows = list(rows)
    graphs = {subject.id: subject.graph for subject in subjects}
    references = {
        subject.format: subject.id for subject in reversed(subjects) if subject.is_reference
    }
    executions = {(row.device, row.engine, row.id): row.execution for row in rows}
    explained = []
    for row in rows:
        reference = references.get(row.format, "")
        case = Case(
            row,
            graphs.get(row.id),
            graphs.get(reference),
            executions.get((row.device, row.engine, reference)),
            environments.get(row.device, {}),
            threads,
        )
        explained.append(replace(row, reasons=reasons(case)))
    return explained


def reasons(case: Case) -> tuple[Reason, ...]:
    """Return why an artifact is not faster; nothing if it is, or was not compared."""
    ratio = case.row.ratio_to_fp32
    if ratio is None or ratio.verdict in GAINS:
        return ()
    found = tuple(reason for rule in RULES if (reason := rule(case)))
    if ratio.verdict in LOSSES and ratio.value > SLOW_RATIO:
        is_explained = any(reason.code in EXPLAINING for reason in found)
        return found if is_explained else (*found, _avoid(case, ratio.value))
    return found or (UNKNOWN,)


def _avoid(case: Case, ratio: float) -> Reason:
    """Return the advice for a row so slow that no rule explains it, with what was looked at."""
    looked_at = [
        *(["the operators in its file"] if case.graph else []),
        *(["what the engine runs"] if case.execution and case.reference_execution else []),
        *(["the device"] if case.environment else []),
    ]
    where = f" in {', '.join(looked_at)}" if looked_at else ""
    text = f"avoid it here: nothing{where} explains {significant(ratio)} of fp32's time"
    return Reason("avoid", text, {"ratio": ratio, "looked_at": looked_at})
