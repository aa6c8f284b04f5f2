"""Which gates count: the project's, and those that are given, which replace their counterparts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgekit.gates.file import project_gates
from edgekit.gates.gate import Gate, merge_gates, parse_gate
from edgekit_runtimes.errors import UsageError


def chosen_gates(
    texts: Sequence[str], general: Sequence[Gate], of_changes: bool, folder: Path
) -> list[Gate]:
    """Return the gates of the project that `folder` is in, with `general` and those in `texts`.

    of_changes: gates on what became worse between two results, instead of on one. Raises
    UsageError for a text that is not a gate of that kind.
    """
    given = [parse_gate(text) for text in texts]
    for gate in given:
        if gate.is_regression and not of_changes:
            raise UsageError(
                f"Gate '{gate.text}' is about two results. Give it to edgekit compare."
            )
        if of_changes and not gate.is_regression:
            raise UsageError(
                f"Gate '{gate.text}' is about one results file. Give it to edgekit check; here "
                "write, say, latency.max_regression<=5%."
            )
    stored = [gate for gate in project_gates(folder) if gate.is_regression is of_changes]
    return merge_gates(merge_gates(stored, general), given)
