"""`edgekit report` from outside: what it prints and writes, and what it refuses."""

import json
from dataclasses import replace

import pytest
from results_by_hand import (
    counted,
    failed_row,
    made_fidelity,
    made_ratio,
    noisy_row,
    results_of,
)

FP32 = noisy_row("tflite/fp32", 220_000)
INT8 = noisy_row("tflite/int8", 87_000, ratio_to_fp32=made_ratio(0.567))


@pytest.fixture
def host(tmp_path):
    """Results of a host in the test's folder."""
    path = tmp_path / "host.json"
    results_of(FP32, INT8).save(path)
    return path


@pytest.mark.parametrize(("flags", "is_wide"), [((), False), (("--wide",), True)])
def test_without_o_the_tables_of_the_bench_are_printed_again(cli, results_file, flags, is_wide):
    from edgekit.cli.common.output import stdout_console
    from edgekit.report.terminal.tables import print_results
    from edgekit.results.results import load_results

    answer = cli("report", results_file, *flags)
    assert answer.exit_code == 0
    console = stdout_console()
    with console.capture() as capture:
        print_results(load_results(results_file), console, is_wide)
    assert answer.out == capture.get()


def test_several_files_are_printed_one_below_the_other_with_what_must_be_known(cli, host, tmp_path):
    board = tmp_path / "board.json"
    results_of(counted(replace(INT8, bytes=9))).save(board)
    answer = cli("report", host, board)
    headings = [line for line in answer.out.splitlines() if "2 cores" in line]
    assert [line.split(": ")[0] for line in headings] == ["host", "board:pi5"]
    assert answer.out.endswith(f"9 bytes in {board}\n")


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("report.html", "<!DOCTYPE html>"),
        ("report.md", "## host: AMD EPYC"),
        ("report.csv", "file,bundle,created,"),
        ("new/folder/REPORT.CSV", "file,bundle,created,"),
    ],
)
def test_the_suffix_says_what_is_written(cli, host, tmp_path, name, start):
    answer = cli("report", host, "-o", name)
    assert (answer.exit_code, answer.out) == (0, f"{name}\n")
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)


def test_an_existing_report_is_replaced_as_a_whole(cli, host, tmp_path):
    target = tmp_path / "report.md"
    target.write_text("old\n" * 100_000)
    assert cli("report", host, "-o", target).exit_code == 0
    assert "old" not in target.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["host.json", "report.md"]


def test_a_bundle_among_results_is_refused_with_both_commands(cli, host, tmp_path):
    folder = tmp_path / "net.edgekit"
    folder.mkdir()
    (folder / "edgekit.json").write_text("{}")
    answer = cli("report", host, folder)
    assert answer.exit_code == 2
    assert f"edgekit bench {folder} -o results.json, then edgekit report results" in answer.err


def test_a_bundle_that_no_search_made_says_what_to_type(cli, bundles):
    folder = bundles("dense_net", "--to", "tflite", "--recipe", "fp32,int8-weights")
    answer = cli("report", folder)
    assert answer.exit_code == 2
    assert f"{folder} was not made by a search. `edgekit inspect {folder}` shows" in answer.err


def test_a_file_that_is_named_twice_counts_once(cli, host):
    assert cli("report", host, host).out == cli("report", host).out


def test_failed_rows_are_reported_and_no_failure_of_the_report(cli, tmp_path):
    path = tmp_path / "failed.json"
    results_of(failed_row("tflite/fp32")).save(path)
    answer = cli("report", path)
    assert answer.exit_code == 0
    assert answer.out.endswith("tflite/fp32: failed: the interpreter died (signal 11, SIGSEGV)\n")


@pytest.mark.parametrize("suffix", ["html", "md", "csv"])
@pytest.mark.parametrize(
    "rows",
    [
        [failed_row("tflite/fp32")],
        [replace(INT8, ratio_to_fp32=None, ratio_reason="the bundle has no tflite/fp32")],
        [replace(INT8, fidelity=made_fidelity(0.1, float("-inf"), nan=9))],
        [replace(INT8, fidelity=made_fidelity(None, float("inf")))],
        [replace(failed_row("tflite/fp32"), device="host\ud800", reason="\ud800")],
    ],
)
def test_odd_results_are_still_a_report(cli, tmp_path, rows, suffix):
    path = tmp_path / "odd.json"
    results_of(*rows).save(path)
    assert cli("report", path, "-o", f"report.{suffix}").exit_code == 0


def test_another_suffix_is_answered_with_the_three(refused, host):
    assert refused("report", host, "-o", "report.pdf") == (
        "-o report.pdf must end with .html, .md or .csv.",
        2,
    )
    assert refused("report", host, "-o", "-")[0] == "-o - must end with .html, .md or .csv."


def test_a_missing_file_is_named_with_where_it_comes_from(refused):
    assert refused("report", "nowhere.json") == (
        "No such file: nowhere.json. Results come from edgekit bench … -o.",
        2,
    )


def test_no_file_at_all_is_wrong_use(refused):
    assert refused("report") == ("Missing argument 'RESULTS...'. See edgekit report --help.", 2)


def test_results_without_rows_are_refused(refused, tmp_path):
    path = tmp_path / "empty.json"
    results_of().save(path)
    assert refused("report", path, "-o", "r.html") == (
        f"{path} has no rows: nothing was measured. Bench again.",
        3,
    )


def test_results_of_a_newer_schema_are_refused(refused, tmp_path):
    path = tmp_path / "newer.json"
    path.write_text(json.dumps({**results_of(FP32).to_json(), "schema": 99}))
    message, exit_code = refused("report", path, "-o", "r.html")
    assert message.startswith(f"{path} has results schema 99 and this edgekit reads ")
    assert exit_code == 3


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00\xff", "no JSON"])
def test_what_is_not_a_results_file_is_refused(refused, tmp_path, text):
    path = tmp_path / "bad.json"
    path.write_bytes(text.encode("latin-1"))
    message = f"{path} is not a results file, or was cut off. Bench again."
    assert refused("report", path, "-o", "r.html") == (message, 3)


def test_truncated_results_are_refused_wherever_they_were_cut(refused, host, tmp_path):
    text = host.read_text()
    cut = tmp_path / "cut.json"
    message = f"{cut} is not a results file, or was cut off. Bench again."
    for length in range(1, len(text), len(text) // 7):
        cut.write_text(text[:length])
        assert refused("report", cut) == (message, 3)


def test_a_folder_that_is_not_ours_is_refused_before_anything_is_read(refused, host, tmp_path):
    (tmp_path / "file").write_text("")
    message, exit_code = refused("report", host, "-o", "file/report.html")
    assert message == "file cannot be made: file is a file. Choose another place with -o."
    assert exit_code == 2


def test_a_folder_in_the_reports_place_stays(refused, host, tmp_path):
    (tmp_path / "report.html").mkdir()
    message, exit_code = refused("report", host, "-o", "report.html")
    assert message.startswith("report.html could not be written: Is a directory.")
    assert exit_code == 3


def test_a_bundle_in_the_place_of_results_is_refused(refused, tmp_path):
    folder = tmp_path / "digits.edgekit"
    folder.mkdir()
    assert refused("report", folder) == (f"{folder} is not a bundle: it holds no edgekit.json.", 2)
