"""What each layer of an int8 artifact loses by itself: a bar for each, the worst first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from edgekit.results.damage import Damage, LayerDamage
from edgekit.results.results import Row

# One bar a layer, the worst of them; the longer it is, the more is lost.
MOST_BARS = 24
WIDTH, LEFT, RIGHT, LINE, TOP = 720, 300, 640, 16, 18
# Full bars lose 20 dB or worse, empty ones 60 dB or better.
WORST_DB, BEST_DB = 20.0, 60.0
NAME_LETTERS = 44
NOTE = (
    "Each bar is one layer, quantized while all others stay in float: the longer, the more of the "
    "outputs is lost. Hollow bars are of layers that the artifact computes in float. Beside the "
    "worst in integers stands what computing it in float as well would cost."
)


def pictures(rows: Sequence[Row]) -> str:
    """Return the pictures of all rows that have one; "" where none has."""
    explained = {row.id: row.damage for row in rows if row.damage and row.damage.layers}
    return "".join(_figure(name, damage) for name, damage in explained.items())


def _figure(name: str, damage: Damage) -> str:
    layers = damage.layers[:MOST_BARS]
    height = TOP + LINE * len(layers) + 6
    label = f"Damage by layer of {name}: the worst is {layers[0].name} with {_db(layers[0])}"
    parts = [_grid(height), *(_bar(one, place) for place, one in enumerate(layers))]
    flipped = len(damage.flipped)
    said = f"{flipped} golden sample{'s' * (flipped != 1)} changed class" if flipped else ""
    rest = len(damage.layers) - len(layers)
    more = f"{rest} more layers lose less" if rest > 0 else ""
    caption = "; ".join(text for text in (name, said, more) if text)
    return (
        f'<figure class="damage"><svg viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _grid(height: int) -> str:
    lines = []
    for level in range(int(WORST_DB), int(BEST_DB) + 1, 10):
        x = LEFT + _length(level)
        lines.append(f'<path class="grid" d="M{x:.1f} {TOP - 4}V{height - 4}"/>')
        lines.append(f'<text x="{x:.1f}" y="{TOP - 7}" text-anchor="middle">{level} dB</text>')
    return "".join(lines)


def _bar(layer: LayerDamage, place: int) -> str:
    y = TOP + LINE * place
    kind = "bar float" if layer.in_float else "bar"
    length = max(_length(layer.sqnr_db), 2)
    name = layer.name if len(layer.name) <= NAME_LETTERS else f"…{layer.name[1 - NAME_LETTERS :]}"
    said = f"{layer.name} ({layer.kind}): {_db(layer)}"
    return (
        f'<text class="name" x="{LEFT - 6}" y="{y + 9}" text-anchor="end">{escape(name)}</text>'
        f'<rect class="{kind}" x="{LEFT}" y="{y + 1}" width="{length:.1f}" height="{LINE - 6}">'
        f"<title>{escape(said)}</title></rect>"
        f'<text x="{LEFT + length + 5:.1f}" y="{y + 9}">{escape(_cost(layer))}</text>'
    )


def _length(level: float) -> float:
    share = (BEST_DB - level) / (BEST_DB - WORST_DB) if math.isfinite(level) else float(level < 0)
    return (RIGHT - LEFT) * min(max(share, 0.0), 1.0)


def _db(layer: LayerDamage) -> str:
    return f"{layer.sqnr_db:.1f} dB"


def _cost(layer: LayerDamage) -> str:
    if layer.float_bytes is None or layer.float_time is None:
        return _db(layer)
    return f"{_db(layer)}; {layer.float_bytes:+,} B, {100 * (layer.float_time - 1):+.0f} % time"
