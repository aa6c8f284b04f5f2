"""What the guard does once its owner has ended."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from edgekit_runtimes.owned.folder import remove_dead
from edgekit_runtimes.owned.guard import WORD

# A killed process may take a moment to go, one that was just started to carry the word, and the
# kernel to release the locks of an owner whose pipe it has closed.
QUIET_LOOKS, MOST_LOOKS = 3, 100
LOOK_S = 0.05


def main(word: str) -> None:
    """Wait for the owner's end, then clear up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    folders = [Path(os.fsdecode(name)) for name in sys.stdin.buffer.read().split(b"\0") if name]
    entry = f"{WORD}={word}".encode()
    quiet = 0
    for _ in range(MOST_LOOKS):
        found = list(_carrying(entry))
        for process in found:
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        left = sum(map(remove_dead, folders))
        quiet = 0 if found or left else quiet + 1
        if quiet == QUIET_LOOKS:
            break
        time.sleep(LOOK_S)


def _carrying(entry: bytes) -> Iterator[int]:
    """Yield the processes that have an entry in their environment and are not dead already."""
    for folder in Path("/proc").iterdir():
        # Those of others cannot be read, and those that have ended have an empty one.
        with contextlib.suppress(OSError):
            if folder.name.isdecimal() and entry in _entries(folder):
                yield int(folder.name)


def _entries(process: Path) -> list[bytes]:
    return (process / "environ").read_bytes().split(b"\0")
