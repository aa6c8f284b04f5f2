"""A figure is registered once, and is in every output."""

from __future__ import annotations

import importlib.util
import io
import json
from dataclasses import replace

import pytest
from conftest import ROOT
from results_by_hand import results_of, row, store
from rich.console import Console

from edgekit.compare.changes import compare_results, judge_changes
from edgekit.gates.gate import parse_gate
from edgekit.gates.help import goals_help, regressions_help
from edgekit.gates.judging import judge
from edgekit.report.compare import print_comparison
from edgekit.report.csv_file import render_csv
from edgekit.report.gates import broken_lines
from edgekit.report.html.notebook import results_html
from edgekit.report.html.page import render_html
from edgekit.report.junit import junit_xml
from edgekit.report.markdown import render_markdown
from edgekit.report.merge import merge
from edgekit.report.summary import changes_summary, gates_summary
from edgekit.report.terminal.tables import print_results
from edgekit.results.figures.figure import SIZE, Compared, Figure, Gated, Kind, Shown
from edgekit.results.figures.registry import FIGURES, all_figures, figure_called, register
from edgekit.results.results import load_results
from edgekit.text.quantities import BYTES, WORDS
from edgekit_runtimes.errors import UsageError

OLD = results_of(row("tflite/fp32", bytes=400_000), row("tflite/int8", bytes=100_000))
NEW = replace(OLD, rows=tuple(replace(one, bytes=one.bytes * 2) for one in OLD.rows))

# Whatever is made of rows, and nothing that knows a figure by its name.
WARMTH = Figure(
    "warmth",
    "How warm the artifact is to the touch.",
    Kind(SIZE, BYTES, "less"),
    lambda row: row.bytes and 3 * row.bytes,
    "warmth_bytes",
    Shown("warmth"),
    Gated(),
    Compared("warmth"),
)


@pytest.fixture
def warmth():
    register(WARMTH)
    yield
    del FIGURES["warmth"]


def made_by(script):
    spec = importlib.util.spec_from_file_location(script, ROOT / "docs" / f"{script}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.render()


def printed(print_it):
    stream = io.StringIO()
    print_it(Console(file=stream, width=200))
    return stream.getvalue()


OUTPUTS = {
    "the terminal's table": lambda: printed(lambda console: print_results(OLD, console)),
    "Markdown": lambda: render_markdown(merge({"old.json": OLD})),
    "CSV": lambda: render_csv(merge({"old.json": OLD})),
    "the HTML page": lambda: render_html(merge({"old.json": OLD})),
    "a notebook": lambda: results_html(OLD),
    "what compare prints": lambda: printed(
        lambda console: print_comparison(compare_results(OLD, NEW), console)
    ),
    "what compare prints for programs": lambda: json.dumps(compare_results(OLD, NEW).to_json()),
    "the summary of a comparison": lambda: changes_summary(compare_results(OLD, NEW)),
    "the help of check": goals_help,
    "the help of compare": regressions_help,
    "the reference of commands": lambda: made_by("make_commands"),
    "the page on results": lambda: made_by("make_results"),
}


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_figure_that_is_registered_is_in_each_output(output, request):
    make = OUTPUTS[output]
    assert "warmth" not in make()
    request.getfixturevalue("warmth")
    assert "warmth" in make()


@pytest.mark.usefixtures("warmth")
def test_a_gate_on_a_figure_that_is_registered_is_judged_and_reported():
    outcomes = judge([parse_gate("int8 warmth<=0.1MB")], [OLD])
    line = "int8 warmth<=0.1MB: tflite/int8 on host has 0.300 MB"
    assert broken_lines(outcomes) == [f"Gate broken: {line}"]
    assert line.replace("<", "&lt;") in junit_xml(outcomes).decode()
    assert "warmth" in gates_summary(outcomes)


@pytest.mark.usefixtures("warmth")
def test_a_figure_that_is_registered_is_compared_and_gated_by_its_change():
    gate = parse_gate("int8 warmth.max_regression<=99%")
    (outcome,) = judge_changes([gate], compare_results(OLD, NEW))
    assert (outcome.is_held, outcome.value) == (False, 1.0)
    change = compare_results(OLD, NEW).rows[0].changes["warmth"]
    assert (change.old, change.new, change.verdict) == (1_200_000, 2_400_000, "larger")


def test_without_its_registration_a_gate_on_it_is_refused():
    with pytest.raises(UsageError, match="Unknown figure 'warmth'"):
        parse_gate("warmth<=1MB")


@pytest.mark.parametrize(
    "again", [replace(WARMTH, csv="other"), replace(WARMTH, key="other")], ids=["key", "field"]
)
@pytest.mark.usefixtures("warmth")
def test_two_figures_cannot_share_a_name(again):
    with pytest.raises(ValueError, match="already"):
        register(again)


def test_a_better_value_is_a_smaller_or_a_larger_one_as_its_registration_says():
    richer = replace(WARMTH, kind=Kind(SIZE, BYTES, "more"))
    register(richer)
    try:
        change = compare_results(OLD, NEW).rows[0].changes["warmth"]
    finally:
        del FIGURES["warmth"]
    assert (change.verdict, change.regression.value) == ("larger", -1.0)


def test_every_figure_is_explained_in_a_sentence_and_reads_a_row_of_which_nothing_is_known():
    bare = replace(
        row("tflite/fp32"),
        status="not available",
        reason="it needs a browser",
        bytes=None,
        wire_bytes={},
        load_ns=(),
        first_run_ns=(),
        blocks=(),
        statistics=None,
        fidelity=None,
    )
    for figure in all_figures():
        assert figure.sentence.endswith("."), figure.key
        assert figure.number(bare) is None or figure.quantity is WORDS, figure.key


def test_the_page_on_results_is_what_the_figures_say():
    fresh = "docs/results.md is stale: run `make docs`"
    assert (ROOT / "docs/results.md").read_text(encoding="utf-8") == made_by("make_results"), fresh


# --- Memory: measured by workers, and one registration ------------------------------------------

LEAN = row("tflite/int8", peak_memory_bytes=50_000_000)


def columns_at(width, *rows):
    stream = io.StringIO()
    print_results(results_of(*rows), Console(file=stream, width=width))
    return stream.getvalue()


def test_memory_is_in_a_table_if_there_is_room():
    wide, narrow = (columns_at(width, LEAN) for width in (200, 100))
    assert "memory" in wide
    assert "50.0" in wide
    assert "memory" not in narrow


def test_memory_makes_no_table_wider_than_the_terminal_was_before():
    assert columns_at(100, LEAN) == columns_at(100, replace(LEAN, peak_memory_bytes=None))


def test_memory_goes_with_the_sizes_where_there_are_two_tables():
    lines = columns_at(80, LEAN).splitlines()
    assert [line.split() for line in lines if line.startswith("tflite/int8")][1][:4] == [
        *("tflite/int8", "100", "70.0", "50.0")
    ]


def test_memory_makes_no_comparison_wider_than_the_terminal():
    def compared_at(width, new):
        stream = io.StringIO()
        comparison = compare_results(results_of(LEAN), results_of(new))
        print_comparison(comparison, Console(file=stream, width=width))
        return stream.getvalue()

    more, bare = replace(LEAN, peak_memory_bytes=60_000_000), replace(LEAN, peak_memory_bytes=None)
    assert "50.0 → 60.0" in compared_at(200, more)
    assert compared_at(100, more) == compared_at(100, bare)


def test_memory_survives_the_way_through_a_file_and_is_not_known_of_a_page(tmp_path):
    (read,) = load_results(store(tmp_path / "results.json", [LEAN])).rows
    assert read.peak_memory_bytes == 50_000_000
    assert figure_called("memory").value(row("tfjs/fp32", "browser:webgl")) is None


def test_more_memory_is_a_regression_but_none_of_the_general_ones():
    more = replace(LEAN, peak_memory_bytes=60_000_000)
    comparison = compare_results(results_of(LEAN), results_of(more))
    (outcome,) = judge_changes([parse_gate("memory.max_regression<=10%")], comparison)
    assert (outcome.is_held, outcome.value) == (False, pytest.approx(0.2))
    assert not figure_called("memory").compared.is_general
