"""Instructions per inference of digits and mbv2 on the three emulated boards, as Markdown.

    python benchmarks/board_counts.py         about five minutes; builds the boards on first use

The counts are deterministic: they are the same on every host with the same versions.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import edgekit
from edgekit.bundle.bundle import Bundle
from edgekit.text.units import significant

ROOT = Path(__file__).parent.parent
DIGITS = ROOT / "examples" / "digits"
BOARDS = ("board:pi3", "board:pi4", "board:pi5")


def make_bundles(work: Path) -> list[Bundle]:
    """Return the bundles of digits and mbv2: fp32 and int8, TFLite and ONNX."""
    maker = ROOT / "examples" / "mbv2" / "make.py"
    subprocess.run([sys.executable, str(maker), str(work)], check=True, stdout=sys.stderr)
    return [
        edgekit.convert(
            folder / f"{name}.keras",
            work / f"{name}.edgekit",
            to="tflite,onnx",
            recipe="fp32,int8",
            calibration=folder / f"{name}.npz",
            # All of int8 in integers: it is their arithmetic that is compared.
            effort="low",
        )
        for name, folder in (("digits", DIGITS), ("mbv2", work))
    ]


def main() -> None:
    """Print one row per artifact."""
    print("| | pi3 (Cortex-A53) | pi4 (Cortex-A72) | pi5 (Cortex-A76) |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for bundle in make_bundles(Path(folder)):
            results = edgekit.bench(bundle, on=BOARDS)
            for name in dict.fromkeys(row.id for row in results.rows):
                cells = []
                for row in (row for row in results.rows if row.id == name):
                    count = (
                        f"{significant(row.statistics.min / 1e6)} M"
                        if row.statistics
                        else row.reason
                    )
                    ratio = f" ({row.ratio_to_fp32.value:.3f})" if row.ratio_to_fp32 else ""
                    cells.append(f"{count}{ratio}")
                print(f"| {bundle.manifest.name}, {name.replace('/', ' ')} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
