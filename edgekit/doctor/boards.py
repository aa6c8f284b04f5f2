"""The emulated boards: whether they are built, building and removing them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgekit_runtimes.devices.board import BOARDS, BoardModel, cache
from edgekit_runtimes.devices.board.build import ensure_userland
from edgekit_runtimes.devices.board.cache import Userland, find_userland
from edgekit_runtimes.devices.board.guest import check_qemu
from edgekit_runtimes.errors import unknown_name


@dataclass(frozen=True)
class BoardState:
    """All boards, and what they share.

    userland: what they boot; None with the reason where it is not built.
    """

    boards: tuple[BoardModel, ...]
    userland: Userland | None
    reason: str | None = None


def board_state() -> BoardState:
    """Return all boards, and whether they are built."""
    state = find_userland()
    return BoardState(tuple(BOARDS.values()), state.userland, state.reason)


def build_boards(names: Sequence[str], report: Callable[[str], None]) -> Userland:
    """Build what the named boards need, unless it is already complete, and return it.

    Raises UsageError for an unknown name or if QEMU is missing, DeviceError if it fails.
    """
    for name in names:
        if name not in BOARDS:
            raise unknown_name("board", name, BOARDS)
    check_qemu()
    return ensure_userland(report)


def clean_boards() -> tuple[int, Path]:
    """Remove what was built and fetched for all boards; return its bytes and its folder."""
    return cache.clean(), cache.cache_folder()
