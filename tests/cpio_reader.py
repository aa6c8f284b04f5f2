"""Reads the archives that a kernel unpacks at boot, by the kernel's own description of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    path: str
    mode: int
    content: bytes
    device: tuple[int, int]


def read_entries(data: bytes) -> list[Entry]:
    """Return what is in one archive, or in several one after the other."""
    position, found = 0, []
    while position < len(data):
        assert data[position : position + 6] == b"070701"
        fields = [int(data[position + 6 + 8 * n : position + 14 + 8 * n], 16) for n in range(13)]
        size, name_size = fields[6], fields[11]
        start = position + 110
        name = data[start : start + name_size]
        assert name.endswith(b"\0")
        start += name_size + -(start + name_size) % 4
        content = data[start : start + size]
        found.append(Entry(name[:-1].decode(), fields[1], content, (fields[9], fields[10])))
        position = start + size + -size % 4
    return found
