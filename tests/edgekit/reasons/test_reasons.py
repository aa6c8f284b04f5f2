"""Why an artifact is not faster: each reason from a real artifact, or from facts made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jobs
import jsonschema
import numpy as np
import pytest
from results_by_hand import noisy_row

from edgekit.bench.request import bench_request
from edgekit.bench.run import run_bench
from edgekit.bundle.bundle import load_bundle
from edgekit.forms import from_form
from edgekit.inspect import Graph, Node, Tensor, read_graph
from edgekit.inspect.subject import Subject
from edgekit.reasons.rules import reasons, with_reasons
from edgekit.reasons.sentences import Case
from edgekit.report.lines import row_notes
from edgekit.results import results as results_module
from edgekit.results.plan import BenchPlan
from edgekit.results.reason import Reason
from edgekit.results.results import Block, Results
from edgekit.results.statistics import Ratio
from edgekit_runtimes.execution import Execution
from edgekit_runtimes.protocol.job import Plan

Bundles = Callable[..., Path]
MakeCase = Callable[..., Case]

RECIPES = "fp32,fp16,int8-weights,int8-dynamic,int8,int16x8,int4-dynamic,fp32+prune50"
SCHEMA = Path(results_module.__file__).parent / "results.schema.json"

BENCHED = ("tflite/fp32", "tflite/int8-weights", "tflite/int16x8", "onnx/fp32", "onnx/fp16")

NOT_DISTINGUISHABLE, SLOWER = Ratio(1.0, 0.99, 1.01), Ratio(1.2, 1.18, 1.22)
VNNI = {"machine": "x86_64", "cpu_features": ["avx2", "avx512_vnni"], "logical_cores": 2}


@pytest.fixture(scope="module")
def bundle(bundles: Bundles) -> Path:
    return bundles("conv_net", "--recipe", RECIPES)


@pytest.fixture(scope="module")
def executions(bundle: Path) -> dict[str, Execution]:
    return jobs.executions_of(bundle, image=np.zeros((1, 28, 28, 1), np.float32))


def graph_of(bundle: Path, name: str) -> Graph:
    form = name.split("/")[0]
    return read_graph(bundle / (name if form == "tfjs" else f"{name}.{form}"), form)


@pytest.fixture(scope="module")
def case(bundle: Path, executions: dict[str, Execution]) -> MakeCase:
    """Make the case of an artifact of conv_net on a CPU that has everything."""

    def make(name: str, ratio: Ratio = SLOWER, **more: Any) -> Case:
        fp32 = f"{name.split('/')[0]}/fp32"
        values = {
            "row": noisy_row(name, ratio_to_fp32=ratio, execution=executions.get(name)),
            "graph": graph_of(bundle, name),
            "reference_graph": graph_of(bundle, fp32),
            "reference_execution": executions.get(fp32),
            "environment": VNNI,
        }
        return Case(**{**values, **more})

    return make


def codes(case: Case) -> list[str]:
    return [reason.code for reason in reasons(case)]


def the(code: str, case: Case) -> Reason:
    return next(reason for reason in reasons(case) if reason.code == code)


@pytest.mark.parametrize("recipe", ["fp16", "int8-weights"])
@pytest.mark.parametrize("form", ["tflite", "onnx", "tfjs"])
def test_weights_that_are_only_stored_small_are_computed_in_float(
    case: MakeCase, form: str, recipe: str
) -> None:
    first = reasons(case(f"{form}/{recipe}"))[0]
    assert "computes in float32 (0 of 1.01 M multiply-accumulates are int8)" in first.text
    stored = first.facts["stored_as"]
    if form == "tfjs":
        assert first.code == "storage-only"
        assert set(stored) == {"float16"} | ({"int8"} if recipe == "int8-weights" else set())
    elif (form, recipe) == ("onnx", "fp16"):
        # The file asks for half precision, and the engine's kernels are float32 ones.
        assert (first.code, first.facts["computes_in"]) == ("float", "float32")
    else:
        assert first.code == "weight-only"
        assert stored == ["float16" if recipe == "fp16" else "int8"]


def test_without_the_engines_word_half_precision_is_what_the_file_says(case: MakeCase) -> None:
    half = case("onnx/fp16")
    silent = replace(half, row=replace(half.row, execution=None))
    assert the("float", silent).facts["computes_in"] == "float16"


def test_an_engine_that_has_to_add_nodes_says_which(case: MakeCase) -> None:
    reason = the("more-nodes", case("onnx/fp16"))
    assert reason.facts["nodes"] > reason.facts["fp32_nodes"]
    assert reason.facts["more"]["Clip"] == 2
    assert f"the engine runs {reason.facts['nodes']} nodes" in reason.text


def test_a_part_in_int8_is_told_with_its_share(case: MakeCase) -> None:
    reason = the("part-int8", case("onnx/int8-dynamic"))
    assert reason.facts["int8_macs"] == 320
    assert reason.text == (
        "only 0.000320 of 1.01 M multiply-accumulates are int8, most others fp32"
    )


def test_nodes_that_the_delegate_leaves_out_are_told_with_their_share(case: MakeCase) -> None:
    reason = the("outside-delegate", case("tflite/int8-dynamic"))
    assert reason.text == (
        "the delegate leaves out 1 of 7 nodes (1 DEPTHWISE_CONV_2D), 2.79 % of the "
        "multiply-accumulates"
    )
    assert reason.facts["macs_outside"] == 14 * 14 * 16 * 9


def test_a_delegate_that_takes_nothing_is_told(case: MakeCase) -> None:
    wide = case("tflite/int16x8")
    assert codes(wide) == ["int16", "outside-delegate"]
    reason = the("outside-delegate", wide)
    assert reason.text == "the delegate takes none of its 9 nodes, and all of fp32"


def test_activations_that_are_quantized_in_each_run_are_told(case: MakeCase) -> None:
    reason = the("dynamic", case("tflite/int8-dynamic"))
    assert reason.text == "quantizes the data of 5 nodes again in each run"


def test_float_islands_in_an_int8_file_are_told(bundles: Bundles, case: MakeCase) -> None:
    dense = bundles("dense_net", "--recipe", "fp32,int8", "--io", "int8")
    reason = the("float-islands", case("onnx/int8", graph=graph_of(dense, "onnx/int8")))
    assert reason.text == (
        "1 float node in 1 island between dequantizing and quantizing (1 Softmax)"
    )


@pytest.mark.parametrize("form", ["tflite", "onnx", "tfjs"])
def test_zeros_are_multiplied_as_well(case: MakeCase, form: str) -> None:
    pruned = case(f"{form}/fp32+prune50")
    assert codes(pruned) == ["float", "zeros"]
    assert "1.01 M multiply-accumulates, as fp32" in the("zeros", pruned).text


@pytest.mark.parametrize(
    ("machine", "features", "lacking"),
    [
        ("aarch64", ["asimd"], ["asimddp", "i8mm"]),
        ("aarch64", ["asimd", "asimddp"], None),
        ("x86_64", ["avx2", "fma"], ["avx_vnni", "avx512_vnni", "amx_int8"]),
        ("x86_64", ["avx2", "avx_vnni"], None),
        ("riscv64", [], None),
    ],
)
def test_int8_on_a_cpu_without_dot_products_is_told(
    case: MakeCase, machine: str, features: list[str], lacking: list[str] | None
) -> None:
    environment = {"machine": machine, "cpu_features": features}
    found = case("tflite/int8", NOT_DISTINGUISHABLE, environment=environment)
    if lacking is None:
        assert codes(found) == ["unknown"]
    else:
        reason = the("cpu-features", found)
        assert reason.facts["missing"] == lacking
        assert reason.text == f"the CPU has no int8 dot products ({', '.join(lacking)})"


def test_litertjs_without_dot_products_in_webassembly_is_told(case: MakeCase) -> None:
    found = case("tflite/int8", environment={"wasm_int8_dot_products": False})
    found = replace(found, row=replace(found.row, engine="litertjs", backend="wasm"))
    text = "WebAssembly has no int8 dot products here (on x86-64 they take avx_vnni)"
    assert the("wasm-features", found).text == text
    # An older results file does not say; another back end does not use WebAssembly's.
    for silent in (
        replace(found, environment={}),
        replace(found, environment={"wasm_int8_dot_products": True}),
        replace(found, row=replace(found.row, backend="webgpu")),
        replace(found, row=replace(found.row, engine="ort-web")),
        replace(found, graph=found.reference_graph),
    ):
        assert "wasm-features" not in codes(silent)


def test_float_gains_nothing_from_int8_instructions(case: MakeCase) -> None:
    environment = {"machine": "aarch64", "cpu_features": []}
    assert "cpu-features" not in codes(case("tflite/fp16", environment=environment))


def test_more_threads_than_cores_are_told_where_time_is_measured(case: MakeCase) -> None:
    crowded = case("tflite/int8", threads=4)
    assert the("threads", crowded).text == "4 threads share 2 cores"
    counting = replace(crowded, row=replace(crowded.row, unit="instructions"))
    assert "threads" not in codes(counting)
    assert "threads" not in codes(replace(crowded, threads=2))


def reading(throttled: str = "0x0", frequency_khz: int | None = 2_400_000) -> dict[str, Any]:
    return {
        "throttled": throttled,
        "temperature_c": 60.0,
        "governor": "ondemand",
        "frequency_khz": frequency_khz,
    }


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (reading(), reading("0x5"), "the board was held back: under-voltage, throttled"),
        # Bits of any time since boot are not a reason: the blocks were measured without.
        (reading(), reading("0x50000"), None),
        # Neither is a clock that idles before the block.
        (reading(frequency_khz=600_000), reading(), None),
        (reading(frequency_khz=None), reading(frequency_khz=None), None),
        (
            reading(),
            reading(frequency_khz=1_500_000),
            "the clock went between 1.50 and 2.40 GHz while it ran",
        ),
    ],
)
def test_a_board_that_was_held_back_is_told(
    case: MakeCase, before: dict[str, Any], after: dict[str, Any], text: str | None
) -> None:
    found = case("tflite/int8")
    steady = Block(0, "measure", (1,), {"before": reading(), "after": reading()})
    blocks = (steady, Block(0, "measure", (1,), {"before": before, "after": after}))
    held = replace(found, row=replace(found.row, blocks=blocks))
    assert [reason.text for reason in reasons(held) if reason.code == "held-back"] == (
        [text] if text else []
    )


def test_a_board_that_is_held_back_from_the_start_is_told(case: MakeCase) -> None:
    environment = {**VNNI, "firmware": reading("0x2")}
    found = case("tflite/int8", environment=environment)
    assert the("held-back", found).text == "the board was held back: frequency capped"


def test_a_software_renderer_is_told_by_name(case: MakeCase) -> None:
    environment = {"software_renderer": True, "renderer": "llvmpipe", "logical_cores": 2}
    found = case("tfjs/fp16", environment=environment)
    found = replace(found, row=replace(found.row, backend="webgl"))
    assert codes(found) == ["storage-only", "software-renderer"]
    assert the("software-renderer", found) == Reason(
        "software-renderer", "a software renderer replaces the GPU", {"renderer": "llvmpipe"}
    )
    gpu = replace(found, environment={**environment, "software_renderer": False})
    assert codes(gpu) == ["storage-only"]
    wasm = replace(found, row=replace(found.row, backend="wasm"))
    assert codes(wasm) == ["storage-only"]


def test_a_net_of_next_to_no_work_is_told(case: MakeCase) -> None:
    assert "tiny" not in codes(case("tflite/int8"))
    data = Tensor("x", (1, 8), "int8")
    layer = Node(0, "FULLY_CONNECTED", "y", (data,), (data,), 64, 64, 64, "int8")
    tiny = case("tflite/int8", graph=Graph((layer,), tensors=3))
    assert the("tiny", tiny).text == (
        "64 multiply-accumulates in 1 node: starting a node takes as long as its work"
    )
    # What a loop does is not known, so it may be a lot.
    loop = replace(layer, index=1, op="WHILE", macs=None)
    assert "tiny" not in codes(replace(tiny, graph=Graph((layer, loop), tensors=3)))


def test_an_interval_that_is_too_wide_is_told_and_a_narrow_one_is_not(case: MakeCase) -> None:
    wide = case("tflite/int8", Ratio(0.99, 0.91, 1.08))
    assert the("wide-interval", wide).text == (
        "the interval [0.910, 1.08] is too wide to tell: measure longer, on a quieter machine"
    )
    assert codes(case("tflite/int8", NOT_DISTINGUISHABLE)) == ["unknown"]
    assert codes(case("tflite/int8", Ratio(1.0, None, None))) == ["unknown"]


@pytest.mark.parametrize(
    "ratio", [None, Ratio(0.5, 0.49, 0.51), Ratio(0.5, 0.5, 0.5, counted=True)]
)
def test_what_is_faster_or_was_not_compared_needs_no_reason(
    case: MakeCase, ratio: Ratio | None
) -> None:
    found = case("tflite/int8-weights")
    assert reasons(replace(found, row=replace(found.row, ratio_to_fp32=ratio))) == ()


def test_without_any_facts_no_reason_is_made_up() -> None:
    (reason,) = reasons(Case(noisy_row("tflite/int8", ratio_to_fp32=SLOWER)))
    assert reason.code == "unknown"
    assert reason.text == "no reason was found in the file, its engine or the device"


def test_rows_of_one_reason_share_a_line(bundle: Path, executions: dict[str, Execution]) -> None:
    names = ("tflite/fp32", "tflite/fp16", "tflite/int8-weights", "tflite/int8")
    subjects = [
        Subject(name, *name.split("/"), path=bundle, bytes=1, graph=graph_of(bundle, name))
        for name in names
    ]
    ratios = (None, NOT_DISTINGUISHABLE, SLOWER, Ratio(0.5, 0.49, 0.51))
    rows = [
        noisy_row(name, ratio_to_fp32=ratio, execution=executions[name])
        for name, ratio in zip(names, ratios, strict=True)
    ]
    explained = with_reasons(rows, subjects, {"host": VNNI}, threads=1)
    why = "computes in float32 (0 of 1.01 M multiply-accumulates are int8)"
    assert row_notes(explained) == [
        f"tflite/fp16: not faster: {why}",
        f"tflite/int8-weights: slower: {why}",
    ]
    counted = [replace(row, unit="instructions") for row in explained]
    assert row_notes(counted)[0].startswith("tflite/fp16: not fewer: ")


def test_what_no_rule_explains_is_to_be_avoided_with_what_was_looked_at(case: MakeCase) -> None:
    found = reasons(case("tflite/fp16", Ratio(5.9, 5.7, 6.1)))
    assert [reason.code for reason in found] == ["weight-only", "avoid"]
    assert found[-1].text == (
        "avoid it here: nothing in the operators in its file, what the engine runs, the device "
        "explains 5.90 of fp32's time"
    )


def test_a_factor_that_a_rule_explains_needs_no_such_advice(case: MakeCase) -> None:
    assert "avoid" not in codes(case("onnx/fp16", Ratio(1.5, 1.4, 1.6)))


@pytest.fixture(scope="module")
def results(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """A bench of some artifacts that is far too short to claim anything but what is plain."""
    work = tmp_path_factory.mktemp("work")
    request = bench_request(load_bundle(bundle), work)
    plan = BenchPlan("short", 2, Plan(warmup_s=0.0, block_s=0.01, rounds=1, min_runs=4))
    subjects = [subject for subject in request.subjects if subject.id in BENCHED]
    return run_bench(replace(request, subjects=subjects, original=None, plan=plan))


def test_a_bench_gives_reasons_to_just_those_that_are_not_faster(results: Results) -> None:
    for row in results.rows:
        ratio = row.ratio_to_fp32
        is_behind = ratio is not None and ratio.verdict not in ("faster", "fewer")
        assert bool(row.reasons) == is_behind, row.id
    # The interpreter's own kernels for 16 bits take several times as long as XNNPACK's for floats.
    wide = next(row for row in results.rows if row.id == "tflite/int16x8")
    assert [reason.code for reason in wide.reasons] == ["int16", "outside-delegate"]


def test_a_bench_says_how_each_artifact_was_run(results: Results) -> None:
    for row in results.rows:
        assert (row.execution is not None) == (row.status == "ok"), row.id


def test_reasons_survive_json_and_fit_the_schema(results: Results) -> None:
    form = json.loads(json.dumps(results.to_json(), allow_nan=False))
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(form)
    again = from_form(form, Results)
    assert [row.reasons for row in again.rows] == [row.reasons for row in results.rows]
    assert [row.execution for row in again.rows] == [row.execution for row in results.rows]
