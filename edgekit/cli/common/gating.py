"""Gates on the command line: the options that bench, check and compare share, and what follows."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit import api
from edgekit.cli.common.options import PATH, check_file
from edgekit.cli.common.output import say
from edgekit_runtimes.errors import UsageError

if TYPE_CHECKING:
    from edgekit.gates.gate import Gate
    from edgekit.gates.judging import Outcome
    from edgekit.results.results import Results

GATE_EXIT_CODE = 1

FILES = "edgekit.toml or pyproject.toml"


@dataclass(frozen=True)
class Gating:
    """The gates of one command, and where the outcomes go besides the terminal."""

    gates: tuple[Gate, ...]
    junit: Path | None
    summary: Path | None

    def judge(self, results: Results) -> int:
        """Judge results that were just measured; report, and return the exit code."""
        from edgekit.report.summary import results_summary

        outcomes = api.check([results], self.gates)
        return self.report(outcomes, lambda: results_summary(results))

    def report(
        self, outcomes: Sequence[Outcome], summary: Callable[[], str], runs: Sequence[str] = ()
    ) -> int:
        """Say what is broken and write what was asked for; return the exit code.

        On stderr, since stdout may be JSON on its way to a file.
        summary: returns what the summary holds apart from the gates.
        """
        from edgekit.report.gates import broken_lines

        # First, so that they are seen where a file cannot be written.
        lines = broken_lines(outcomes, runs)
        for line in lines:
            say(line, err=True)
        if self.junit is not None:
            from edgekit.files import write_whole, writing
            from edgekit.report.junit import junit_xml

            with writing(self.junit):
                write_whole(self.junit, junit_xml(outcomes, runs))
        if self.summary is not None:
            from edgekit.report.summary import gates_summary

            parts = (gates_summary(outcomes, runs), summary())
            with self.summary.open("a", encoding="utf-8", errors="replace") as file:
                file.write("\n".join(part for part in parts if part) + "\n")
        return GATE_EXIT_CODE if lines else 0


class GateCommand(click.Command):
    """A command whose help ends with what gates can be about, before the examples.

    gates_help: a function of `edgekit.gates.help`.
    """

    def __init__(self, *args: Any, gates_help: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._gates_help = gates_help

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list, made from the figures that are registered now, and the examples."""
        from edgekit.gates import help as gates_help

        formatter.write_paragraph()
        with formatter.indentation():
            indent = " " * formatter.current_indent
            for line in getattr(gates_help, self._gates_help)().splitlines():
                formatter.write(f"{indent}{line}\n")
        super().format_epilog(ctx, formatter)


def gate_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --gate, --junit and --summary, handed over as one `Gating`."""
    return _with_options(function, is_regression=False)


def regression_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the same with --max-regression, for gates on what became worse."""
    option = click.option(
        "--max-regression",
        metavar="PERCENT",
        help="Allow no size, latency, instruction count, top-1 agreement or accuracy to be worse "
        "by more, as 5%.",
    )
    return option(_with_options(function, is_regression=True))


def _with_options(function: Callable[..., Any], is_regression: bool) -> Callable[..., Any]:
    example = "'latency.max_regression<=5%'" if is_regression else "'size<=300KB'"
    command = "compare" if is_regression else "check"

    @functools.wraps(function)
    def wrapper(
        *args: Any,
        gates: tuple[str, ...],
        junit: Path | None,
        summary: Path | None,
        max_regression: str | None = None,
        **kwargs: Any,
    ) -> Any:
        for option, path in (("--junit", junit), ("--summary", summary)):
            if path is not None:
                check_file(option, path)
                if not path.absolute().parent.is_dir():
                    raise UsageError(f"{option} {path}: there is no folder {path.parent}.")
        # Before any work: a mistake in a gate must not end a bench halfway.
        found = api.gates(gates, max_regression=max_regression, of_changes=is_regression)
        if junit is not None and not found:
            raise UsageError(f"--junit reports gates, and none are given: add --gate {example}.")
        return function(*args, gating=Gating(found, junit, summary), **kwargs)

    for option in reversed(
        (
            click.option(
                "--gate",
                "gates",
                multiple=True,
                metavar="GATE",
                help=f"A budget, as {example}; broken, the exit code is 1. `edgekit {command} "
                f"--help` lists the figures. [default: those in {FILES}]",
            ),
            click.option("--junit", type=PATH, help="Write the verdicts on gates as JUnit XML."),
            click.option(
                "--summary",
                type=PATH,
                help='Append Markdown to this file, as --summary "$GITHUB_STEP_SUMMARY".',
            ),
        )
    ):
        wrapper = option(wrapper)
    return wrapper
