"""Seeded damage: the same generator makes the same mutant of the same bytes."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

# What lengths, offsets and sizes are wrong with.
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**63, -1)
DEEP = 100_000
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**31, 2**63, 2**64, 10**400, 1e308, float("nan"), float("inf"), 0.5),
    *("", "\x1b[2J", "\x9b", "../../x", ".", "edgekit.json", "/etc/passwd", "a" * 100_000, "\0"),
    *([], {}, [[]], {"": {}}),
)


def mutant(content: bytes, name: str, random: Random) -> bytes:
    """Return damaged content of a file of that name."""
    makers: list[Callable[[bytes, Random], bytes]] = list(BYTES)
    if name.endswith(".json"):
        makers += [edited_json] * len(BYTES)
    if name.endswith((".npz", ".keras")):
        makers += [rewritten_zip] * (len(BYTES) // 2)
    return random.choice(makers)(content, random)


def flipped(content: bytes, random: Random) -> bytes:
    """Flip one to eight bits."""
    changed = bytearray(content)
    for _ in range(random.randint(1, 8)):
        if changed:
            changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def truncated(content: bytes, random: Random) -> bytes:
    """Cut it off."""
    return content[: random.randrange(len(content) + 1)]


def spliced(content: bytes, random: Random) -> bytes:
    """Copy a piece over, or into, another place."""
    start, place = (random.randrange(len(content) + 1) for _ in range(2))
    piece = content[start : start + random.randint(1, 4096)]
    skip = len(piece) if random.random() < 0.5 else 0
    return content[:place] + piece + content[place + skip :]


def shortened(content: bytes, random: Random) -> bytes:
    """Leave a piece out."""
    start = random.randrange(len(content) + 1)
    return content[:start] + content[start + random.randint(1, 512) :]


def resized(content: bytes, random: Random) -> bytes:
    """Overwrite what may be a length; mostly near the beginning, where headers are."""
    width = random.choice((1, 2, 4, 8))
    if len(content) < width:
        return content
    last = len(content) - width
    place = random.randint(0, min(last, 4096) if random.random() < 0.7 else last)
    order = random.choice(("little", "big"))
    number = (random.choice(NUMBERS) % 2 ** (8 * width)).to_bytes(width, order)  # type: ignore[arg-type]
    return content[:place] + number + content[place + width :]


def zeroed(content: bytes, random: Random) -> bytes:
    """Fill a piece with zeros."""
    start = random.randrange(len(content) + 1)
    piece = content[start : start + random.randint(1, 256)]
    return content[:start] + bytes(len(piece)) + content[start + len(piece) :]


BYTES = (flipped, truncated, spliced, shortened, resized, zeroed)


def edited_json(content: bytes, random: Random) -> bytes:
    """Change one value of a JSON file to what does not belong there."""
    form = json.loads(content)
    places = list(_places(form))
    if not places:
        return content
    holder, key = random.choice(places)
    kind = random.randrange(6)
    if kind == 0 and isinstance(holder, dict):
        del holder[key]
    elif kind == 1 and isinstance(holder, list):
        holder.extend([holder[key]] * 1000)
    elif kind == 2:
        # Python writes nothing so deep.
        holder[key] = "DEEP"
        opening, closing = random.choice((("[", "]"), ('{"a":', "}")))
        deep = opening * DEEP + "1" + closing * DEEP
        return json.dumps(form).replace('"DEEP"', deep).encode()
    else:
        holder[key] = random.choice(ODD_VALUES)
    return json.dumps(form).encode()


def _places(form: Any) -> Any:
    items = form.items() if isinstance(form, dict) else enumerate(form)
    for key, value in list(items):
        yield form, key
        if isinstance(value, dict | list):
            yield from _places(value)


def rewritten_zip(content: bytes, random: Random) -> bytes:
    """Damage one member of an archive that itself is whole."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        names = old.namelist()
        chosen = random.choice(names)
        for name in names:
            inner = old.read(name)
            if name == chosen:
                inner = mutant(inner, name, random)
            new.writestr(name, inner)
    return stream.getvalue()
