"""What digits and mbv2 cost in a browser on this machine, as Markdown.

    python benchmarks/browser_speed.py              the table, about ten minutes
    python benchmarks/browser_speed.py --reference  TF.js on WebGL against the reference converter
    python benchmarks/browser_speed.py --node       TF.js under Node against TF.js in Chromium

The table has medians of `edgekit bench`, with the ratio to fp32 of the same format, and says what
drew WebGL. Below it: TF.js on WebAssembly against plain JavaScript, of the same model.

--reference measures mbv2 as edgekit writes it and as tensorflowjs_converter does, in turns in the
same pages; the SavedModel is the same. It needs `make install-dev`.

--node measures digits and mbv2 in TF.js on WebAssembly, on the host and in headless Chromium,
several times in turns, and prints the ratio of the medians of each turn.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import edgekit
from edgekit.bench.request import bench_request
from edgekit.bench.run import run_bench
from edgekit.inspect.subject import Subject
from edgekit.report.lines import heading
from edgekit.results.figures.ratios import ratio_cell
from edgekit.results.plan import REFERENCE_RECIPE
from edgekit.results.results import Results, Row
from edgekit.text.units import significant
from edgekit_runtimes.artifact import size_of

ROOT = Path(__file__).parent.parent
DIGITS = ROOT / "examples" / "digits"
DEVICES = ("browser:webgl", "browser:wasm", "browser:cpu")
RECIPES = "fp32,int8-weights,int8"
MS = 1e6
# A shared machine changes its pace from one minute to the next: the two take turns.
TURNS = 5


def make_mbv2(work: Path) -> Path:
    """Return the .keras file of mbv2; its samples are beside it."""
    maker = ROOT / "examples" / "mbv2" / "make.py"
    subprocess.run([sys.executable, str(maker), str(work)], check=True, stdout=sys.stderr)
    return work / "mbv2.keras"


def print_table(work: Path) -> None:
    """Print one row per artifact, one column per back end."""
    mbv2 = make_mbv2(work)
    sources = {"digits": DIGITS / "digits.keras", "mbv2": mbv2}
    shares = []
    headed = False
    for name, source in sources.items():
        bundle = edgekit.convert(
            source,
            work / f"{name}.edgekit",
            recipe=RECIPES,
            calibration=source.with_suffix(".npz"),
        )
        results = edgekit.bench(bundle, on=DEVICES)
        if not headed:
            headed = True
            print("\n".join(heading(device, results) for device in DEVICES), end="\n\n")
            print(f"| ms | {' | '.join(DEVICES)} |\n|---|{'---|' * len(DEVICES)}")
        for row_id in dict.fromkeys(row.id for row in results.rows):
            cells = [cell(row) for row in results.rows if row.id == row_id]
            if any(cells):
                print(f"| {name}, {row_id.replace('/', ' ')} | {' | '.join(cells)} |", flush=True)
        wasm, plain = (median_of(results, device, "tfjs/fp32") for device in DEVICES[1:])
        shares.append(f"{name} {plain / wasm:.0f}")
    print(f"\nTF.js: times of plain JavaScript over WebAssembly: {', '.join(shares)}")


def cell(row: Row) -> str:
    """Return the median with its ratio; nothing if the back end cannot run the format."""
    if row.statistics is None:
        return "fails" if row.status == "failed" else ""
    ratio = f" ({row.ratio_to_fp32.value:.3f})" if row.ratio_to_fp32 else ""
    return f"{significant(row.statistics.median / MS)}{ratio}"


def median_of(results: Results, device: str, row_id: str) -> float:
    """Return the median of one artifact on one device."""
    for row in results.rows:
        if (row.device, row.id) == (device, row_id) and row.statistics:
            return row.statistics.median
    raise SystemExit(f"{row_id} was not measured on {device}")


def print_reference(work: Path) -> None:
    """Print the ratio of our TF.js model to the reference converter's, on WebGL."""
    import keras

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    saved_model = work / "saved_model"
    keras.saving.load_model(make_mbv2(work), compile=False).export(saved_model, verbose=False)
    bundle = edgekit.convert(
        saved_model,
        work / "mbv2.edgekit",
        to="tfjs",
        recipe="fp32",
        calibration=work / "mbv2.npz",
    )
    sys.path.insert(0, str(ROOT / "tests" / "converters" / "tfjs"))
    reference = work / "reference"
    importlib.import_module("reference").convert_tf_saved_model()(str(saved_model), str(reference))
    request = bench_request(bundle, work / "work", ("browser:webgl",))
    (ours,) = request.subjects
    subjects = [
        Subject("tfjs/reference", "tfjs", REFERENCE_RECIPE, reference, size_of(reference)),
        dataclasses.replace(ours, id="tfjs/edgekit", recipe="edgekit"),
    ]
    results = run_bench(dataclasses.replace(request, subjects=subjects))
    print(heading("browser:webgl", results))
    for row in results.rows:
        ratio = f", ratio {ratio_cell(row.ratio_to_fp32)}" if row.ratio_to_fp32 else ""
        print(f"{row.id}: {cell(row) or row.reason} ms{ratio}")


def print_node(work: Path) -> None:
    """Print what TF.js takes under Node and in Chromium, and the ratio with its spread."""
    devices = ("host", "browser:wasm")
    for name, source in {"digits": DIGITS / "digits.keras", "mbv2": make_mbv2(work)}.items():
        bundle = edgekit.convert(source, work / f"{name}.edgekit", to="tfjs", recipe="fp32")
        request = bench_request(bundle, work / f"{name}-work", devices)
        request = dataclasses.replace(request, original=None)
        pairs = []
        for turn in range(TURNS):
            order = devices if turn % 2 == 0 else devices[::-1]
            results = run_bench(dataclasses.replace(request, devices=order))
            pairs.append([median_of(results, device, "tfjs/fp32") for device in devices])
        under_node, in_chromium = (
            significant(statistics.median(medians) / MS) for medians in zip(*pairs, strict=True)
        )
        ratios = sorted(node / browser for node, browser in pairs)
        spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        print(f"{name}: {under_node} ms under Node, {in_chromium} ms in Chromium, ratio {spread}")


def main() -> None:
    """Print the table, or one of the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", action="store_true")
    parser.add_argument("--node", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if asked.reference:
            print_reference(Path(folder))
        elif asked.node:
            print_node(Path(folder))
        else:
            print_table(Path(folder))


if __name__ == "__main__":
    main()
