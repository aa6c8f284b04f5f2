"""`edgekit check`, and gates on `edgekit bench`: files, exit codes, JUnit and summaries."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from results_by_hand import absent_row, classified, counted_row, failed_row, row, store

from edgekit.gates.goals import goals, regressions
from edgekit.results import results as results_module
from edgekit.results.results import load_results

WRONG_USE, WORK_FAILED = 2, 3

INT8 = row("tflite/int8", accuracy=classified(985, lost=5))


@pytest.fixture
def results(tmp_path):
    """A results file: fp32 of 400 KB, int8 of 100 KB and one that is not available."""
    rows = [row("tflite/fp32", bytes=400_000), INT8, absent_row("tfjs/int8")]
    return store(tmp_path / "results.json", rows)


def test_results_made_by_hand_are_as_a_bench_would_write_them(results, tmp_path):
    counted = store(tmp_path / "c.json", [counted_row("tflite/int8", 9), failed_row("onnx/int8")])
    schema = json.loads((Path(results_module.__file__).parent / "results.schema.json").read_text())
    for path in (results, counted):
        jsonschema.validate(json.loads(path.read_text()), schema)


@pytest.mark.parametrize("command", ["check", "compare", "bench"])
def test_help_names_every_figure_that_the_command_judges(cli, command):
    text = cli(command, "--help").out
    names = {"check": goals(), "compare": regressions(), "bench": ()}[command]
    assert [name for name in names if name not in text.split()] == []
    assert "--gate GATE" in text


def test_gates_that_hold_end_with_0_and_nothing_on_stderr(cli, results):
    answer = cli("check", results, "--gate", "size<=400KB", "--gate", "int8 ratio<=0.6")
    assert (answer.exit_code, answer.err) == (0, "")
    assert [" ".join(line.split()) for line in answer.out.splitlines()] == [
        "gate verdict row value",
        "size<=400KB held tflite/fp32 on host (closest of 2) 400 KB",
        "int8 ratio<=0.6 held tflite/int8 on host 0.550 at worst (0.500 measured)",
    ]


def test_a_broken_gate_ends_with_1_and_one_line_on_stderr(cli, results):
    answer = cli("check", results, "--gate", "size<=300KB", "--gate", "int8 ratio<=0.5")
    assert answer.exit_code == 1
    assert answer.err.splitlines() == [
        "Gate broken: size<=300KB: tflite/fp32 on host has 400 KB",
        "Gate broken: int8 ratio<=0.5: tflite/int8 on host has 0.550 at worst (0.500 measured)",
    ]
    assert "broken" in answer.out


def test_json_goes_to_stdout_alone(cli, results):
    answer = cli("check", results, "--gate", "size<=300KB", "--json")
    form = json.loads(answer.out)
    assert form["held"] is False
    assert form["verdicts"][0] == {
        "gate": "size<=300KB",
        "metric": "size",
        "device": "host",
        "engine": "litert",
        "id": "tflite/fp32",
        "held": False,
        "value": 400_000,
        "judged": 400_000,
        "limit": 300_000,
        "reason": None,
        "results": str(results),
    }


def test_several_results_are_told_apart(cli, results, tmp_path):
    board = store(tmp_path / "board.json", [counted_row("tflite/int8", 1_290_000)])
    answer = cli("check", results, board, "--gate", "instructions<=1M", "--gate", "ratio<=0.6")
    assert answer.exit_code == 1
    assert answer.err == (
        f"Gate broken: instructions<=1M: tflite/int8 on board:pi5 in {board} has 1.29 M\n"
    )


def test_results_of_a_failed_bench_can_be_checked(cli, tmp_path):
    store(tmp_path / "results.json", [failed_row("tflite/int8", "signal 8")])
    answer = cli("check", "results.json", "--gate", "latency.p90<=1s")
    assert answer.exit_code == 1
    assert answer.err == (
        "Gate broken: latency.p90<=1s: tflite/int8 on host: it failed: signal 8\n"
    )


# --- The project's gates ------------------------------------------------------------------------

LIST = """
[tool.edgekit]
gates = ["size<=300KB", "int8 ratio<=0.5"]
"""
TABLE = """
[project]
name = "digits"

[tool.edgekit.gates]
size = "<=300KB"
"int8 ratio" = "<= 0.5"
latency.p90 = "<=1s"
"""
BROKEN = [
    "Gate broken: size<=300KB: tflite/fp32 on host has 400 KB",
    "Gate broken: int8 ratio<=0.5: tflite/int8 on host has 0.550 at worst (0.500 measured)",
]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", LIST),
        ("pyproject.toml", TABLE),
        ("edgekit.toml", LIST.replace("[tool.edgekit]", "")),
        ("edgekit.toml", TABLE.partition("\n\n")[2].replace("tool.edgekit.", "")),
    ],
)
def test_gates_of_the_project_are_judged_without_any_option(cli, results, tmp_path, name, text):
    (tmp_path / name).write_text(text)
    answer = cli("check", results)
    assert answer.exit_code == 1
    assert [line.replace("<= ", "<=") for line in answer.err.splitlines()] == BROKEN


def test_a_gate_that_is_given_replaces_its_like_and_adds_to_the_others(cli, results, tmp_path):
    (tmp_path / "pyproject.toml").write_text(LIST)
    answer = cli("check", results, "--gate", "size<=1MB", "--gate", "int8 size<=1KB")
    assert answer.err.splitlines() == [
        BROKEN[1],
        "Gate broken: int8 size<=1KB: tflite/int8 on host has 100 KB",
    ]


def test_the_file_is_found_above_up_to_the_repositorys_folder(cli, results, tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text(LIST)
    nested = tmp_path / "models" / "digits"
    nested.mkdir(parents=True)
    # A pyproject.toml that says nothing about edgekit does not end the search.
    (nested / "pyproject.toml").write_text("[project]\nname = 'digits'\n")
    monkeypatch.chdir(nested)
    assert cli("check", results).err.splitlines() == BROKEN
    (tmp_path / "models" / ".git").mkdir()
    assert cli("check", results).exit_code == WRONG_USE
    (nested / "edgekit.toml").write_text("gates = ['size<=1KB']")
    assert cli("check", results).exit_code == 1


def test_gates_on_regressions_are_kept_for_compare(cli, results, tmp_path):
    (tmp_path / "edgekit.toml").write_text(
        "gates = ['size<=300KB', 'latency.max_regression<=5%', 'size.max_regression<=0%']"
    )
    assert cli("check", results).err.splitlines() == [BROKEN[0]]
    larger = store(tmp_path / "larger.json", [row("tflite/int8", bytes=110_000)])
    assert cli("compare", results, larger).err.splitlines() == [
        "Gate broken: size.max_regression<=0%: tflite/int8 on host has 10.0 %"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gates = [", "{} is not TOML: "),
        (
            "gate = ['size<=3KB']",
            "{}: Unknown setting 'gate'. Did you mean 'gates'? Known: gates.",
        ),
        ("gates = 3", "{}: gates must be a list or a table, not 3."),
        ("gates = [3]", "{}: gates must be strings, as 'size<=300KB', not 3."),
        ("[gates]\nsize = 300", "{}: gate size must be a string, as '<=300KB', not 300."),
        (
            "gates = ['size<=5ms']",
            "{}: Gate 'size<=5ms': 5ms is a time. size takes B, KB, MB, GB, KiB, MiB or GiB, as in "
            "5KB.",
        ),
        ("[gates]\nlatncy.p90 = '<=5ms'", "{}: Unknown figure 'latncy.p90' in gate "),
    ],
)
def test_a_slip_in_the_file_is_named_with_the_file(refused, results, tmp_path, text, message):
    path = tmp_path / "edgekit.toml"
    path.write_text(text)
    found, exit_code = refused("check", results)
    assert found.startswith(message.format(path))
    assert exit_code == WRONG_USE


# --- JUnit and summary --------------------------------------------------------------------------


def test_junit_has_a_case_for_each_gate_and_row(cli, tmp_path):
    store(tmp_path / "results.json", [INT8, failed_row("tflite/fp16", 'bad \x00 "<&> \x1b[0m')])
    words = ("--gate", "size<=300KB", "--gate", "instructions<=1M", "--junit", "gates.xml")
    assert cli("check", "results.json", *words).exit_code == 1
    root = ElementTree.parse(tmp_path / "gates.xml").getroot()
    (suite,) = root
    assert root.tag == "testsuites"
    for element in (root, suite):
        assert (element.get("tests"), element.get("failures"), element.get("errors")) == (
            *("3", "2"),
            "0",
        )
    failures = {case.get("name"): case.find("failure") for case in suite}
    assert list(failures) == [
        "size<=300KB: tflite/int8 on host",
        "size<=300KB: tflite/fp16 on host",
        "instructions<=1M",
    ]
    assert failures["size<=300KB: tflite/int8 on host"] is None
    broken = failures["size<=300KB: tflite/fp16 on host"]
    assert broken.text == broken.get("message")
    assert broken.text == (
        'size<=300KB: tflite/fp16 on host: it failed: bad \N{REPLACEMENT CHARACTER} "<&> '
        "\N{REPLACEMENT CHARACTER}[0m"
    )


def test_a_summary_is_appended_as_markdown(cli, results, tmp_path):
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    words = ("--gate", "size<=300KB", "--gate", "int8 size<=1MB", "--summary", summary)
    assert cli("check", results, *words).exit_code == 1
    lines = summary.read_text().splitlines()
    assert lines[:5] == [
        "before",
        "## edgekit: 1 of 2 gates broken",
        "",
        "| gate | verdict | row | value |",
        "| --- | --- | --- | --- |",
    ]
    assert lines[5:7] == [
        "| size&lt;=300KB | broken | tflite/fp32 on host | 400 KB |",
        "| int8 size&lt;=1MB | held | tflite/int8 on host | 0.100 MB |",
    ]


# --- Bad input ----------------------------------------------------------------------------------


def test_results_of_a_newer_schema_are_refused(refused, tmp_path, results):
    form = json.loads(results.read_text())
    (tmp_path / "newer.json").write_text(json.dumps({**form, "schema": 99}))
    message, exit_code = refused("check", "newer.json", "--gate", "size<=1KB")
    assert message.startswith("newer.json has results schema 99")
    assert exit_code == WORK_FAILED
    assert refused("compare", results, "newer.json")[1] == WORK_FAILED


def test_results_that_were_cut_off_are_refused(refused, tmp_path, results):
    (tmp_path / "cut.json").write_text(results.read_text()[:500])
    assert refused("check", "cut.json", "--gate", "size<=1KB") == (
        "cut.json is not a results file, or was cut off. Bench again.",
        WORK_FAILED,
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            (),
            "There is no gate. Give --gate 'size<=300KB', or gates in edgekit.toml or "
            "pyproject.toml.",
        ),
        (
            ("--gate", "latency.max_regression<=5%"),
            "Gate 'latency.max_regression<=5%' is about two results. Give it to edgekit compare.",
        ),
        (
            ("--gate", "size<=1KB", "--junit", "nowhere/gates.xml"),
            "--junit nowhere/gates.xml: there is no folder nowhere.",
        ),
        (("--gate", "size<=1KB", "--summary", "."), "--summary . is a folder. Name a file."),
    ],
)
def test_check_refuses_wrong_use(refused, results, words, message):
    assert refused("check", results, *words) == (message, WRONG_USE)


def test_bench_refuses_a_gate_before_it_measures(refused):
    message, exit_code = refused("bench", "nosuch.edgekit", "--gate", "size<=5ms")
    assert message.startswith("Gate 'size<=5ms': 5ms is a time.")
    assert exit_code == WRONG_USE


# --- A real bench -------------------------------------------------------------------------------


def test_a_bench_is_gated_checked_and_compared(cli, bundles, short_plan, tmp_path):
    made = bundles("dense_net", "--to", "tflite", "--recipe", "fp32,int8-weights")
    # Where it does not find its original, TensorFlow need not be started to measure it.
    bundle = shutil.copytree(made, tmp_path / "alone" / "net.edgekit")
    gates = ("--gate", "size<=1MB", "--gate", "int8-weights size<=1KB", "--gate", "load<=1us")
    file = tmp_path / "new" / "results.json"
    words = (*gates, "-o", file, "--json", "--junit", "b.xml", "--summary", "b.md")
    answer = cli("bench", bundle, *words)
    assert answer.exit_code == 1
    first, second = answer.err.splitlines()[-2:]
    assert first.startswith("Gate broken: int8-weights size<=1KB: tflite/int8-weights on host has")
    assert second.startswith("Gate broken: load<=1us: tflite/")
    assert file.read_text() == answer.out
    assert {"tflite/fp32", "tflite/int8-weights"} <= {row.id for row in load_results(file).rows}
    assert len(list(ElementTree.parse(tmp_path / "b.xml").iter("testcase"))) == 5
    summary = (tmp_path / "b.md").read_text()
    assert summary.startswith("## edgekit: 2 of 3 gates broken")
    assert "| tflite/int8-weights |" in summary

    held = ("--gate", "latency.p90<=1s", "--gate", "latency.median>=1ns", "--gate", "ratio<=100")
    assert cli("check", file, *held).exit_code == 0
    assert cli("check", file, "--gate", "latency.p90<=1ns").exit_code == 1
    same = cli("compare", file, file, "--max-regression", "1000%")
    assert (same.exit_code, same.err) == (0, "")
    assert "not distinguishable" in same.out
