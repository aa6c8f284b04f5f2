"""What digits and mbv2 cost in a browser on this machine, as Markdown.

    python benchmarks/browser_speed.py              the table, about ten minutes
    python benchmarks/browser_speed.py --reference  TF.js on WebGL against the reference converter

The table has medians of `edgekit bench`, with the ratio to fp32 of the same format, and says what
drew WebGL. Below it: TF.js on WebAssembly against plain JavaScript, of the same model.

--reference measures mbv2 as edgekit writes it and as tensorflowjs_converter does, in turns in the
same pages; the SavedModel is the same. It needs `make install-dev`.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import os
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


def main() -> None:
    """Print the table, or the comparison with the reference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", action="store_true")
    with tempfile.TemporaryDirectory() as folder:
        if parser.parse_args().reference:
            print_reference(Path(folder))
        else:
            print_table(Path(folder))


if __name__ == "__main__":
    main()
