"""The command line: one thin file per command. Parse, call, print."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import click

from edgekit._version import __version__
from edgekit.cli.common import interrupt
from edgekit.cli.common.output import say
from edgekit_runtimes.errors import EdgekitError, first_line, unknown_name

# Command -> its line in `edgekit --help`. Each lives in the module edgekit.cli.<command>, which
# is imported only when it is called: `edgekit --help` stays under 0.2 s.
COMMANDS = {
    "convert": "Make TFLite, TF.js and ONNX artifacts of a trained model.",
    "tune": "Search for the smallest or quickest artifact that keeps a promise.",
    "bench": "Measure a bundle's artifacts on devices.",
    "report": "Show results again, or write them as HTML, Markdown or CSV.",
    "check": "Judge results by gates, without measuring.",
    "compare": "Show what changed between two results, and gate what became worse.",
    "demo": "Write a static site in which visitors try a bundle's artifacts.",
    "inspect": "Show what a bundle or an artifact holds.",
    "verify": "Compare what is in a bundle with the hashes in its manifest.",
    "run": "Run an artifact on your own inputs.",
    "devices": "List the devices that artifacts can be measured on from here.",
    "board": "Build, list and remove emulated boards.",
    "doctor": "Say what works on this machine, and how to install the rest.",
}


@contextlib.contextmanager
def _quiet_end() -> Iterator[None]:
    """End without a word where the output's pipe was closed: click would end with code 1."""
    try:
        yield
    except BrokenPipeError:
        raise click.exceptions.Exit(interrupt.BROKEN_PIPE_EXIT_CODE) from None


class LazyCommands(click.Group):
    """The command group: knows its commands' names without importing them."""

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        """Read a command line; where that is help, print it."""
        with _quiet_end():
            return super().make_context(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with _quiet_end():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of a first use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command. Raises UsageError with the nearest word."""
        if cmd_name not in COMMANDS:
            raise unknown_name("command", cmd_name, COMMANDS)
        module = importlib.import_module(f"edgekit.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="edgekit")
@click.option("--debug", is_flag=True, help="Show tracebacks and what the libraries print.")
@click.pass_context
def edgekit(context: click.Context, debug: bool) -> None:
    """One trained model becomes small models for the edge and the browser.

    Each is measured and compared with the original.

    \b
    Examples:
      edgekit convert digits.keras --calibration digits.npz
      edgekit bench digits.edgekit --data digits.npz
      edgekit inspect digits.edgekit
    """  # noqa: D301 (click wants the control character itself)
    context.obj = {"debug": debug}
    if not debug:
        # TensorFlow reads this when it is imported; 3 leaves only its fatal messages.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("TQDM_DISABLE", "1")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code.

    0 fine, 1 a gate failed, 2 wrong use, 3 the work failed, 130 or 143 interrupted.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    interrupt.take_over(debug)
    if not debug:
        silence_libraries()
    interrupt.leave(_finished(arguments))


def _finished(arguments: list[str]) -> int:
    """Run one command line and return its exit code, or that of an interruption that it lost."""
    try:
        exit_code = run_command_line(arguments)
        if not interrupt.was_lost(exit_code):
            return exit_code
        say("Interrupted.", err=True)
    # Where it comes between two commands, or while its own message is printed.
    except KeyboardInterrupt:
        say("Interrupted.", err=True)
    return interrupt.interrupted_exit_code()


def silence_libraries() -> None:
    """Send what native libraries print to descriptor 2 to nowhere; sys.stderr stays as it is.

    TensorFlow's converter and its C++ libraries print screenfuls there that no setting turns off.
    """
    warnings.simplefilter("ignore")
    sys.stderr = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace", buffering=1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _in_our_words(error: click.UsageError) -> str:
    """Return click's message in one line, as ours are, with the nearest option."""
    command = error.ctx.command_path if error.ctx else "edgekit"
    text = error.format_message().rstrip(".")
    if isinstance(error, click.NoSuchOption) and error.ctx:
        known = [name for option in error.ctx.command.params for name in option.opts]
        nearest = difflib.get_close_matches(error.option_name, known, n=1, cutoff=0.5)
        text = f"Unknown option '{error.option_name}'"
        if nearest:
            return f"{text}. Did you mean '{nearest[0]}'? See {command} --help."
    return f"{text}. See {command} --help."


def run_command_line(arguments: list[str]) -> int:
    """Run one command line and return its exit code; messages are printed."""
    debug = "--debug" in arguments
    try:
        result: Any = edgekit.main(arguments, prog_name="edgekit", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.UsageError as error:
        say(f"Error: {_in_our_words(error)}", err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("Interrupted.", err=True)
        return interrupt.interrupted_exit_code()
    except EdgekitError as error:
        if debug:
            raise
        say(f"Error: {error}", err=True)
        return error.exit_code
    except OSError as error:
        if debug:
            raise
        where = f": {error.filename}" if error.filename else ""
        say(f"Error: {error.strerror or first_line(error)}{where}", err=True)
        return EdgekitError.exit_code
    except Exception as error:
        if debug:
            raise
        say(
            f"Error: {type(error).__name__}: {first_line(error)}\n"
            "This should not happen: it is a bug in edgekit. Run it again with "
            "`edgekit --debug …` for the traceback, and report it.",
            err=True,
        )
        return EdgekitError.exit_code
    return result if isinstance(result, int) else 0
