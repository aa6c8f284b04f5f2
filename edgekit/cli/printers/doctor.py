"""The findings of `edgekit doctor` as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgekit.doctor.examine import Finding

if TYPE_CHECKING:
    from rich.console import Console


COLORS = {"works": "green", "missing": "yellow", "broken": "red"}


def print_findings(findings: Sequence[Finding], console: Console) -> None:
    """Print one line per finding, and under what does not work the line that installs it."""
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        color = COLORS[finding.state]
        mark = f"[{color}]{finding.state:<7}[/]"
        console.print(f"{finding.kind:<6}  {finding.name:<{width}}  {mark}  ", end="")
        console.print(finding.detail, highlight=False, markup=False)
        if finding.install:
            console.print(f"{'':<{width + 19}}{finding.install}", highlight=False, markup=False)
