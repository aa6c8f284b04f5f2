"""Write docs/commands.md from the real `--help` of every command.

    python docs/make_commands.py           (or: make docs)

A test compares the file with what this script would write.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from click import Context, Group
from click.testing import CliRunner

from edgekit.cli import COMMANDS, edgekit

TARGET = Path(__file__).parent / "commands.md"

INTRODUCTION = """\
# Commands

Written by `make docs` from each command's `--help`; do not edit.

Results go to stdout, progress and messages to stderr. Exit codes: 0 fine, 1 a gate failed,
2 wrong use, 3 the work failed (or a part of it: what succeeded stays), 130 interrupted.
"""


def render() -> str:
    """Return the text of commands.md."""
    sections = [INTRODUCTION]
    for words in ((), *_commands()):
        title = " ".join(("edgekit", *words))
        sections.append(f"## {title}\n\n```\n{_help(words)}```\n")
    return "\n".join(sections)


def _commands() -> Iterator[tuple[str, ...]]:
    """Yield the words of every command, each group before its own commands."""
    for name in COMMANDS:
        yield (name,)
        command = edgekit.get_command(Context(edgekit), name)
        if isinstance(command, Group):
            yield from ((name, part) for part in command.commands)


def _help(words: tuple[str, ...]) -> str:
    result = CliRunner().invoke(
        edgekit, [*words, "--help"], prog_name="edgekit", terminal_width=100
    )
    if result.exit_code != 0:
        raise SystemExit(f"edgekit {' '.join(words)} --help failed: {result.output}")
    return result.output


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
    print(f"wrote {TARGET}")
