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

if TYPE_CHECKING:
    from edgekit.inspect.subject import Subject
    from edgekit.results.results import Row

GAINS = ("faster", "fewer")

UNKNOWN = Reason("unknown", "no reason was found in the file, its engine or the device")

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
    return found or (UNKNOWN,)
