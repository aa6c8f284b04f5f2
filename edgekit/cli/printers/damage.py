"""The damage of int8 artifacts as text: which layers lose most, and what sparing them costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.bundle.bundle import Bundle
from edgekit.report.terminal.tables import print_line, print_table
from edgekit.results.damage import Damage, LayerDamage
from edgekit.text.table import Column, names_column
from edgekit_runtimes.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

# What fits a screen; the layers beyond these lose little.
WORST_LAYERS = 16
MOST_FLIPS = 12


def print_damage(bundle: Bundle, console: Console) -> None:
    """Print the damage of each artifact that has one. Raises UsageError where none has."""
    explained = [record for record in bundle.artifacts if record.damage]
    if not explained:
        raise UsageError(
            f"{bundle.folder} says nothing of its layers' damage. Convert again with --explain: "
            "int8 artifacts are then looked at layer by layer."
        )
    for record in explained:
        if record.damage is None:
            continue
        print_line(console, f"{record.id}: the outputs' SQNR where one layer alone is quantized")
        print_table(damage_columns(record.damage.layers[:WORST_LAYERS]), console)
        left = len(record.damage.layers) - WORST_LAYERS
        if left > 0:
            print_line(console, f"{left} more layers lose less; --json has them all")
        print_line(console, flipped_line(record.damage, bundle.manifest.golden.count))
        print_line(console)


def damage_columns(layers: tuple[LayerDamage, ...]) -> list[Column]:
    """Return the table of some layers."""
    sizes = ["" if one.float_bytes is None else f"{one.float_bytes:+,}" for one in layers]
    times = [
        "" if one.float_time is None else f"{100 * (one.float_time - 1):+.0f} %" for one in layers
    ]
    return [
        names_column([one.name for one in layers], "layer"),
        Column("operator", tuple(one.kind for one in layers), is_text=True),
        Column("SQNR dB", tuple(f"{one.sqnr_db:.1f}" for one in layers)),
        Column("computes in", tuple("float" if one.in_float else "int8" for one in layers)),
        Column("in float:\nbytes", tuple(sizes)),
        Column("in float:\ntime", tuple(times)),
    ]


def flipped_line(damage: Damage, samples: int) -> str:
    """Say which golden samples have another first class than the original gives them."""
    if not damage.flipped:
        return f"none of {samples} golden samples has another first class"
    named = ", ".join(
        f"{one.sample} (class {one.original} became {one.artifact})"
        for one in damage.flipped[:MOST_FLIPS]
    )
    more = len(damage.flipped) - MOST_FLIPS
    rest = f" and {more} more" if more > 0 else ""
    count = len(damage.flipped)
    return f"{count} of {samples} golden samples have another first class: {named}{rest}"
