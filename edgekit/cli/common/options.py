"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from edgekit_runtimes.errors import UsageError

# Whether it exists and can be read is checked by the code that reads it, for our own message.
PATH = click.Path(path_type=Path, readable=False)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for a program.")


class DescribedOption(click.Option):
    """An option whose help is made when it is shown, from what is registered then."""

    def __init__(self, *args: Any, describe: Callable[[], str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._describe = describe

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and its help."""
        self.help = self._describe()
        return super().get_help_record(ctx)


def data_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --resize, --scale, --mean and --std, handed over as one `DataOptions`."""

    @functools.wraps(function)
    def wrapper(
        *args: Any,
        resize: str | None,
        scale: float | None,
        mean: str | None,
        std: str | None,
        **kwargs: Any,
    ) -> Any:
        from edgekit.data import DataOptions

        options = DataOptions(
            resize=_parse_resize(resize),
            scale=1.0 if scale is None else scale,
            mean=_parse_numbers(mean, "--mean"),
            std=_parse_numbers(std, "--std"),
        )
        return function(*args, data_options=options, **kwargs)

    for option in reversed(
        (
            click.option("--resize", metavar="HxW", help="Resize images when they are read."),
            click.option("--scale", type=float, help="Multiply samples by this first."),
            click.option("--mean", metavar="M[,M,M]", help="Then subtract this, one per channel."),
            click.option("--std", metavar="S[,S,S]", help="Then divide by this, one per channel."),
        )
    ):
        wrapper = option(wrapper)
    return wrapper


def worker_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --memory and --time-limit."""
    for option in (
        click.option(
            "--time-limit",
            type=click.FloatRange(min=0, min_open=True),
            metavar="SECONDS",
            help="How long a model may give no sign of life, as in its first run. [default: 600]",
        ),
        click.option(
            "--memory",
            metavar="SIZE",
            help="What a worker may allocate, as 4GB. [default: what is available where it runs, "
            "less 500 MB]",
        ),
    ):
        function = option(function)
    return function


def wide_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --wide."""
    return click.option(
        "--wide",
        is_flag=True,
        help="Print all columns: download sizes, memory, loading, first run, p90, to the original.",
    )(function)


def check_file(option: str, path: Path) -> None:
    """Raise UsageError if a path to write a file to is a folder."""
    if path.is_dir():
        raise UsageError(f"{option} {path} is a folder. Name a file.")


def parse_sizes(text: str, option: str, example: str) -> tuple[int, ...]:
    """Return the positive whole numbers of a list with commas."""
    try:
        sizes = tuple(int(word) for word in text.split(","))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise UsageError(f"{option} is not understood. Write it as {example}.")
    return sizes


def _parse_resize(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    height, times, width = text.lower().partition("x")
    sizes = parse_sizes(f"{height},{width}" if times else "", f"--resize {text}", "224x224")
    return sizes[0], sizes[1]


def _parse_numbers(text: str | None, option: str) -> tuple[float, ...]:
    if text is None:
        return ()
    try:
        return tuple(float(word) for word in text.split(","))
    except ValueError:
        raise UsageError(
            f"{option} {text} is not understood. Write it as 0.5 or 0.485,0.456,0.406."
        ) from None
