"""A bundle as text: the table that `edgekit convert` ends with and `edgekit inspect` shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgekit.bundle.bundle import Bundle
from edgekit.bundle.manifest import ArtifactRecord
from edgekit.text.grouping import grouped
from edgekit.text.units import BYTE_UNITS, percent, pick_unit, significant

if TYPE_CHECKING:
    from rich.console import Console

HEADINGS = ("artifact", "bytes", "gzip", "brotli", "top-1", "SQNR dB", "p5")


def print_bundle(bundle: Bundle, console: Console) -> None:
    """Print the source, the signature and one row per artifact."""
    from rich.markup import escape
    from rich.table import Table

    manifest = bundle.manifest
    folder, source = escape(str(bundle.folder)), escape(manifest.source["path"])
    console.print(f"[bold]{folder}[/]  from {source}", highlight=False)
    for kind, specs in (("input", manifest.inputs), ("output", manifest.outputs)):
        for spec in specs:
            console.print(f"{kind:>6}  {spec}", highlight=False, markup=False)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for number, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="left" if number == 0 else "right", no_wrap=True)
    made = [record for record in bundle.artifacts if record.status == "ok"]
    for record in made:
        table.add_row(*_cells(record, made))
    console.print(table)
    for line in _remarks(bundle.artifacts):
        console.print(line, highlight=False, markup=False)
    for note in manifest.notes:
        console.print(f"note: {note}", highlight=False, markup=False)
    if manifest.golden.kind == "noise":
        console.print(
            "note: fidelity was judged on noise. With --calibration DATA it is judged on your own "
            "samples.",
            highlight=False,
        )


def _remarks(records: Sequence[ArtifactRecord]) -> list[str]:
    """Return each reason and each note once, with the artifacts that it holds for."""
    reasons = [(f"{r.status}: {r.reason}", r.id) for r in records if r.status != "ok"]
    notes = [(str(note), record.id) for record in records for note in record.notes]
    return [f"{', '.join(ids)}  {text}" for text, ids in grouped([*reasons, *notes]).items()]


def _cells(record: ArtifactRecord, made: list[ArtifactRecord]) -> list[str]:
    unit = pick_unit([other.bytes or 0 for other in made], BYTE_UNITS)
    wire, fidelity = record.wire, record.fidelity
    sizes = [record.bytes, wire.gzip if wire else None, wire.brotli if wire else None]
    top1 = fidelity.top1 if fidelity else None
    return [
        record.id,
        *("" if size is None else f"{significant(size / unit.size)} {unit.word}" for size in sizes),
        "" if top1 is None else f"{percent(top1)} %",
        f"{fidelity.sqnr_db:.1f}" if fidelity else "not run",
        f"{p5:.1f}" if fidelity and (p5 := fidelity.sqnr_p5_db) is not None else "",
    ]
