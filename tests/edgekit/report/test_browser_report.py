"""What a table says of a page: the browser, what drew, where an engine computed, the download."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from results_by_hand import results_of

from edgekit.forms import from_form
from edgekit.report.browser import renderer_name
from edgekit.report.columns import table_columns
from edgekit.report.lines import heading, legend
from edgekit.results import results as results_module
from edgekit.results.results import Results, Row
from edgekit.results.statistics import Statistics

SCHEMA = Path(results_module.__file__).parent / "results.schema.json"

LLVMPIPE = "ANGLE (Mesa/X.org, llvmpipe (LLVM 15.0.6 256 bits), OpenGL ES 3.2)"
GPU = "ANGLE (Intel, Mesa Intel(R) UHD Graphics 620 (KBL GT2), OpenGL 4.6)"
PAGE: dict[str, Any] = {
    "browser": "Chromium 156.0.8078.79",
    "cpu": "AMD EPYC",
    "logical_cores": 2,
    "renderer": LLVMPIPE,
    "software_renderer": True,
    "webgpu": None,
    "engines": {"tfjs": "4.22.0"},
}
ROW = Row(
    device="browser:webgl",
    id="tfjs/fp32",
    format="tfjs",
    recipe="fp32",
    engine="tfjs",
    backend="webgl",
    status="ok",
    download_ns=(3_000_000,),
    start_ns=(150_000_000,),
    load_ns=(12_000_000,),
    first_run_ns=(400_000_000,),
    statistics=Statistics(60, 4_000_000.0, 4_300_000.0, 1e4, 3_900_000.0, 0),
)


def results(*rows: Row, **facts: Any) -> Results:
    """Return the results of a bench on one browser device."""
    environments = {rows[0].device: {**PAGE, **facts}}
    return results_of(*rows, environments=environments)


def row_on(device: str, backend: str) -> Row:
    return replace(ROW, device=device, backend=backend)


def test_the_heading_names_the_browser_and_labels_a_software_renderer() -> None:
    assert heading("browser:webgl", results(ROW)) == (
        "browser:webgl: Chromium 156, llvmpipe (software renderer), 1 thread; tfjs 4.22.0"
    )


def test_a_gpu_is_named_and_has_no_label() -> None:
    with_gpu = results(ROW, renderer=GPU, software_renderer=False)
    assert "Chromium 156, Mesa Intel(R) UHD Graphics 620, 1 thread" in heading(
        "browser:webgl", with_gpu
    )
    assert legend(with_gpu, [ROW]) == []


@pytest.mark.parametrize("backend", ["wasm", "cpu"])
def test_where_the_cpu_computes_it_is_named_and_no_renderer(backend: str) -> None:
    row = row_on(f"browser:{backend}", backend)
    assert heading(row.device, results(row)) == (
        f"browser:{backend}: Chromium 156, AMD EPYC, 1 thread; tfjs 4.22.0"
    )
    assert legend(results(row), [row]) == []


def test_webgpu_is_named_by_its_adapter() -> None:
    row = row_on("browser:webgpu", "webgpu")
    text = heading("browser:webgpu", results(row, webgpu="SwiftShader Device (Subzero)"))
    assert "Chromium 156, SwiftShader (software renderer), 1 thread" in text


def test_a_page_on_a_machine_that_is_not_known_names_no_cpu() -> None:
    row = row_on("browser:wasm", "wasm")
    measured = results(row)
    del measured.environments["browser:wasm"]["cpu"]  # type: ignore[attr-defined]
    assert heading("browser:wasm", measured).startswith("browser:wasm: Chromium 156, 1 thread")


def test_a_line_below_the_table_warns_of_a_software_renderer() -> None:
    assert legend(results(ROW), [ROW]) == [
        "software renderer: WebGL ran on the CPU, so these times say nothing about a GPU"
    ]


def test_the_download_comes_before_the_load() -> None:
    headers = [column.header.split("\n")[0] for column in table_columns([ROW])]
    assert headers == ["artifact", "download", "load", "first", "median", "p90"]


def test_the_back_end_of_each_row_is_shown_where_they_differ() -> None:
    rows = [row_on("browser", "webgl"), replace(row_on("browser", "wasm"), id="onnx/fp32")]
    columns = {column.header: column.cells for column in table_columns(rows)}
    assert columns["back end"] == ("webgl", "wasm")
    assert "back end" not in {column.header for column in table_columns(rows[:1])}
    text = heading("browser", results(*rows))
    assert "llvmpipe (software renderer), AMD EPYC, 1 thread" in text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (LLVMPIPE, "llvmpipe"),
        (GPU, "Mesa Intel(R) UHD Graphics 620"),
        ("ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)), x)", "SwiftShader"),
        ("llvmpipe, or similar", "llvmpipe"),
        ("Apple GPU", "Apple GPU"),
    ],
)
def test_a_renderer_has_a_short_name(text: str, name: str) -> None:
    assert renderer_name(text) == name


def test_what_a_page_adds_survives_the_way_through_json() -> None:
    measured = results(ROW)
    form = json.loads(json.dumps(measured.to_json()))
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(form)
    assert from_form(form, Results) == measured


def test_results_from_before_there_were_browsers_are_still_read() -> None:
    form = results(ROW).to_json()
    for row in form["rows"]:
        for key in ("backend", "download_ns", "start_ns"):
            del row[key]
    (row,) = from_form(form, Results).rows
    assert (row.backend, row.download_ns, row.start_ns) == (None, (), ())
