"""Text in files that anyone may have made commands no terminal, spreadsheet or archive tool."""

from __future__ import annotations

import ast
import csv
import json
import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, Answer

from edgekit.run.artifact import write_outputs
from edgekit_runtimes.printable import member_name, printable, printable_cell, printable_json

Cli = Callable[..., Answer]

# Clears the screen, sets the title, moves the cursor, turns the direction of text.
HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b1A\r\u202e"
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")

# What prints, and the modules that may: each hands over what `printable` has seen, or JSON lines
# for a program of ours.
PRINTING = re.compile(r"(^|\.)(print|echo|secho|Console)$|^sys\.std(out|err)\.write$")
MAY_PRINT = {
    "edgekit/cli/common/output.py",
    "edgekit_runtimes/devices/browser/manual.py",
    "edgekit_runtimes/devices/ssh/agent.py",
    "edgekit_runtimes/formats.py",
    "edgekit_runtimes/plugins.py",
    "edgekit_runtimes/worker.py",
}


def test_control_characters_are_shown_and_not_obeyed() -> None:
    assert printable(f"a{HOSTILE}b\tc\nd") == (r"a\x1b[2J\x1b]0;owned\x07\x9b1A\r\u202eb" "\tc\nd")
    assert printable("größe 日本 é") == "größe 日本 é"
    text = json.dumps({"name": HOSTILE}, ensure_ascii=False)
    assert not CONTROL.search(printable_json(text))
    assert json.loads(printable_json(text)) == {"name": HOSTILE}


def test_a_cell_that_begins_a_formula_begins_with_an_apostrophe() -> None:
    for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1"):
        assert printable_cell(text) == f"'{text}"
    assert printable_cell("conv-1") == "conv-1"


def test_a_name_that_leads_out_of_an_archive_is_quoted(tmp_path: Path) -> None:
    assert member_name("dense/BiasAdd:0") == "dense/BiasAdd:0"
    names = ["../../../evil", "/etc/evil", "a/../../evil", "..\\evil", "evil\x00"]
    write_outputs(tmp_path / "y.npz", {name: np.zeros(1, np.float32) for name in names})
    with np.load(tmp_path / "y.npz") as arrays:
        assert len(arrays.files) == len(names)
        assert not any("/" in name or "\\" in name or "\0" in name for name in arrays.files)


@pytest.fixture
def hostile_results(results_file: Path, tmp_path: Path) -> Path:
    """Results whose words command a terminal or begin a formula."""
    form = json.loads(results_file.read_text())
    form["bundle"] = f"=HYPERLINK({HOSTILE})"
    for row in form["rows"]:
        row["status"], row["reason"] = "failed", f"[bold]{HOSTILE}[/nothing]"
        for name in ("memory", "startup", "statistics", "fidelity", "accuracy"):
            row.pop(name, None)
    path = tmp_path / "hostile.json"
    path.write_text(json.dumps(form))
    return path


def test_no_command_lets_a_results_file_command_the_terminal(
    hostile_results: Path, cli: Cli, tmp_path: Path
) -> None:
    for words in (["report"], ["check", "--gate", "size<=1MB"], ["check", "--json"]):
        answer = cli(*words, hostile_results)
        assert not CONTROL.search(answer.out + answer.err), words
    missing = cli("report", f"{HOSTILE}.json")
    assert not CONTROL.search(missing.err)
    assert r"\x1b[2J" in missing.err
    assert cli("report", hostile_results, "-o", "r.csv").exit_code == 0
    with (tmp_path / "r.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert row["bundle"].startswith("'=HYPERLINK(")


def test_on_a_real_terminal_only_our_own_colours_are_commands(hostile_results: Path) -> None:
    def output() -> Iterator[bytes]:
        while select.select([terminal], [], [], 60)[0]:
            try:
                yield os.read(terminal, 65536)
            except OSError:
                return

    terminal, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "edgekit", "report", hostile_results],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(inner)
    text = b"".join(output()).decode()
    os.close(terminal)
    assert process.wait() == 0
    # The terminal's line discipline adds the carriage returns.
    assert not CONTROL.search(re.sub(r"\x1b\[[0-9;]*m|\r\n", "", text))
    assert r"\x1b[2J" in text


def test_nothing_is_printed_but_in_the_one_place() -> None:
    found = set()
    for folder in (ROOT / "edgekit", ROOT / "converters/edgekit_converters"):
        found |= set(printing_modules(folder))
    found |= set(printing_modules(ROOT / "runtimes/edgekit_runtimes"))
    assert found == MAY_PRINT


def printing_modules(package: Path) -> Iterator[str]:
    for path in package.rglob("*.py"):
        calls = (node for node in ast.walk(ast.parse(path.read_text())) if type(node) is ast.Call)
        functions = {ast.unparse(call.func) for call in calls}
        if any(PRINTING.search(name) and name != "console.print" for name in functions):
            yield str(path.relative_to(package.parent))
