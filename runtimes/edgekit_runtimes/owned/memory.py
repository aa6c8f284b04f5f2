"""A limit on the memory of a worker: a model of a few bytes may ask for all that a machine has."""

from __future__ import annotations

import resource
from pathlib import Path

# As a worker's argument: what is available when it starts, less the reserve.
ALL_BUT_RESERVE = "auto"
# For edgekit, which holds samples and answers, and for what else runs on the machine.
RESERVE_BYTES = 500_000_000
# Less is no use: the libraries themselves would not load.
LEAST_BYTES = 500_000_000

# What engines say when they get no more memory.
SAID = ("bad_alloc", "Failed to allocate memory", "out of memory", "MemoryError")


def limit_memory(word: str) -> int | None:
    """Limit what this process may allocate; return the bytes, None if the machine does not say.

    word: a number of bytes, or ALL_BUT_RESERVE. Counted is what it asks for to write to (Linux's
    RLIMIT_DATA), not files that it maps, nor addresses that it only reserves.
    """
    if word == ALL_BUT_RESERVE:
        available = available_bytes()
        limit = None if available is None else max(available - RESERVE_BYTES, LEAST_BYTES)
    else:
        limit = int(word)
    if limit is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    return limit


def available_bytes() -> int | None:
    """Return what can be allocated now without ending other programs, swap included.

    The least of what the machine has and what this container may still take.
    """
    found = [size for size in (_of_machine(), _of_container()) if size is not None]
    return min(found, default=None)


def hint(message: str, limit: int | None) -> str:
    """Return an engine's message, with what to do where it got no more memory."""
    if limit is None or not any(words in message for words in SAID):
        return message
    return f"{message} (a worker may take {limit / 1e9:.1f} GB here; --memory says how much)"


def _of_machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}
    free = sizes.get("MemAvailable")
    return None if free is None else free + sizes.get("SwapFree", 0)


def _of_container(folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return what a container's limit (cgroup v2) leaves; what only caches files counts as free."""
    try:
        most = int((folder / "memory.max").read_text())
        used = int((folder / "memory.current").read_text())
        lines = (folder / "memory.stat").read_text().splitlines()
    except (OSError, ValueError):
        # No container, no limit ("max"), or an older kernel.
        return None
    cached = sum(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
    return max(most - used + cached, 0)
