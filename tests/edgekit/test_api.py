"""The Python API: the words of the command line as functions."""

from __future__ import annotations

import inspect
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import models
import numpy as np
import pytest
from conftest import Answer
from results_by_hand import absent_row, failed_row, results_of, row

import edgekit
from edgekit.cli.bench import command as bench_command
from edgekit.cli.convert import command as convert_command
from edgekit_runtimes.errors import ArtifactError, DataError, UsageError

# What a function takes in other words than the command line, and why.
CONVERT_WORDS = {"model": "source", "as_json": None, "formats": "to", "recipes": "recipe"}
CONVERT_WORDS |= {"input_shapes": "input_shape"}
# On the command line a shape ends with its dtype: ids=1,16:int64.
ONLY_IN_PYTHON = {"on_artifact", "on_wait", "input_dtype"}
BENCH_WORDS = {"devices": "on", "engines": "engine", "wide": None, "as_json": None}
# Results save themselves, and gates judge them: `edgekit check`.
BENCH_WORDS |= dict.fromkeys(("output", "gates", "junit", "summary"))


@pytest.fixture(scope="module")
def bundle(bundles: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle that has lost its original: it is not where the manifest looks for it."""
    made = bundles("dense_net", "--to", "tflite", "--recipe", "fp32,int8-weights")
    return Path(shutil.copytree(made, tmp_path_factory.mktemp("api") / "alone" / "net.edgekit"))


@pytest.mark.parametrize(
    ("function", "command", "words"),
    [
        (edgekit.convert, convert_command, CONVERT_WORDS),
        (edgekit.bench, bench_command, BENCH_WORDS),
    ],
)
def test_a_function_takes_the_words_of_its_command(
    function: Callable[..., Any], command: Any, words: dict[str, str | None]
) -> None:
    named = {words.get(option.name, option.name) for option in command.params} - {None}
    parameters = set(inspect.signature(function).parameters)
    assert parameters - ONLY_IN_PYTHON == named | {"progress"}


def test_every_parameter_is_explained() -> None:
    for function in (edgekit.convert, edgekit.bench):
        text = (inspect.getdoc(function) or "").partition("Args:")[2].partition("Raises:")[0]
        explained = re.findall(r"^    (\w+): ", text, re.MULTILINE)
        assert explained == list(inspect.signature(function).parameters)


def test_a_name_that_edgekit_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'edgekit' has no attribute 'benchmark'"):
        _ = edgekit.benchmark  # type: ignore[attr-defined]


def test_a_model_is_converted_with_arrays_as_calibration(
    saved_models: Callable[[str], Path], tmp_path: Path
) -> None:
    steps: list[str] = []
    made = edgekit.convert(
        saved_models("dense_net"),
        tmp_path / "net.edgekit",
        to=["tflite"],
        recipe=["int8"],
        calibration=models.random_inputs(models.dense_net(), 16),
        progress=steps.append,
    )
    assert [(row.id, row.status) for row in made.artifacts] == [("tflite/int8", "ok")]
    assert made.manifest.golden.kind == "calibration"
    assert any(step.startswith("loading") for step in steps)
    assert edgekit.load_bundle(str(tmp_path / "net.edgekit")) == made


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"to": "tflite,tjfs"}, "Unknown format 'tjfs'. Did you mean 'tfjs'?"),
        ({"to": []}, "No format given."),
        ({"recipe": ["int7"]}, "Unknown recipe 'int7'"),
        ({"recipe": "int8"}, "int8 needs calibration data"),
        ({"classes": "none.txt"}, "No such file: none.txt"),
        ({"calibration": np.zeros((4, 8))}, "calibration: a ndarray is not data. Give a path, or"),
    ],
)
def test_wrong_words_for_a_conversion_are_errors_that_leave_nothing(
    saved_models: Callable[[str], Path], tmp_path: Path, words: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        edgekit.convert(saved_models("dense_net"), tmp_path / "net.edgekit", **words)
    assert list(tmp_path.iterdir()) == []


def test_arrays_that_do_not_fit_the_model_are_an_error(
    saved_models: Callable[[str], Path], tmp_path: Path
) -> None:
    wrong = {"x": np.zeros((4, 3), np.float32)}
    with pytest.raises(DataError, match=r"calibration\.npz"):
        edgekit.convert(saved_models("dense_net"), tmp_path / "net.edgekit", calibration=wrong)


def test_a_bundle_is_measured_with_arrays_as_labelled_data(
    bundle: Path, short_plan: None, tmp_path: Path
) -> None:
    samples = models.random_inputs(models.dense_net(), 8)
    steps: list[str] = []

    def hits(outputs: Any, labels: Any) -> Any:
        return outputs.argmax(axis=1) == labels

    results = edgekit.bench(
        edgekit.load_bundle(bundle),
        on="host",
        engine="litert",
        data={**samples, "y": np.zeros(8, np.int64)},
        metric=hits,
        progress=steps.append,
    )
    assert [(row.id, row.status) for row in results.rows] == [
        ("tflite/fp32", "ok"),
        ("tflite/int8-weights", "ok"),
    ]
    accuracy = results.rows[-1].accuracy
    assert accuracy is not None
    assert accuracy.samples == 8
    assert accuracy.metric is not None
    assert accuracy.metric.endswith(":hits")
    assert any(re.fullmatch(r"host: .* \(\d+ of \d+, about .* left\)", step) for step in steps)
    results.save(tmp_path / "results.json")
    assert edgekit.load_results(tmp_path / "results.json") == results


def test_an_unknown_device_is_an_error(bundle: Path) -> None:
    with pytest.raises(UsageError, match="Unknown device 'hots'"):
        edgekit.bench(bundle, on=["hots"])


def test_what_cannot_be_loaded_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such bundle: nowhere"):
        edgekit.load_bundle("nowhere")
    (tmp_path / "results.json").write_text("{}")
    with pytest.raises(ArtifactError, match="is not a results file"):
        edgekit.load_results(tmp_path / "results.json")


# --- Looking at results -------------------------------------------------------------------------

RESULTS = results_of(
    row("tflite/fp32"),
    row("tflite/int8"),
    failed_row("onnx/int8", "no <kernel> & no hope"),
    absent_row("tfjs/fp32"),
    row("tflite/fp32", device="board:pi5"),
)


def test_results_look_like_the_table_of_the_command(
    cli: Callable[..., Answer], tmp_path: Path
) -> None:
    RESULTS.save(tmp_path / "results.json")
    printed = cli("report", "results.json").out.splitlines()
    assert repr(RESULTS).splitlines() == [line.rstrip() for line in printed]


def test_a_notebook_shows_a_table_a_device_and_the_reasons_of_the_rest() -> None:
    html = RESULTS._repr_html_()
    assert html.count("<table") == 2
    assert '<th scope="row">tflite/int8</th>' in html
    assert '<td class="text good">faster</td>' in html
    assert "<li>onnx/int8: failed: no &lt;kernel&gt; &amp; no hope</li>" in html
    assert "<script" not in html


def test_a_bundle_is_shown_in_one_line(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(bundle, tmp_path / "net.edgekit")
    monkeypatch.chdir(tmp_path)
    opened = edgekit.load_bundle("net.edgekit")
    made = sum(record.status == "ok" for record in opened.artifacts)
    shown = f"Bundle('net.edgekit', {made} of {len(opened.artifacts)} artifacts made)"
    assert repr(opened) == shown


def test_a_row_is_shown_without_its_samples() -> None:
    assert "Block(" not in repr(RESULTS.rows[0])
