"""Emulated ARM64 boards: the boards, what runs in them, and how they are built and booted.

QEMU's instruction clock (`-icount shift=0`) advances a guest's time by one nanosecond with each
instruction. An unmodified worker in it therefore counts instructions where it reads the clock.
That is not a latency: there are no caches, no pipeline and no memory stalls.

    userland_contents.py   what the userland is made of
    packages.py    fetches Debian packages and wheels
    initramfs.py   writes the archives that the kernel unpacks at boot
    userland.py    packages become archives
    bytecode.py    runs in the guest: its own Python compiles what is imported
    cache.py       where a userland is kept, and whether it is complete
    build.py       all of it in order, under a lock
    tasks.py       jobs become tasks of a guest
    guest.py       boots QEMU and reads what its tasks write
    init           the guest's first process
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edgekit_runtimes.devices import Device, DeviceOptions, HostTool, KnownDevice
from edgekit_runtimes.errors import UsageError


@dataclass(frozen=True)
class BoardModel:
    """A board that can be emulated.

    qemu_cpu: never "max": QEMU 7.2 is then silently wrong on int8 models.
    """

    name: str
    title: str
    cpu: str
    qemu_cpu: str


BOARDS: Mapping[str, BoardModel] = {
    board.name: board
    for board in (
        BoardModel("pi3", "Raspberry Pi 3", "Cortex-A53", "cortex-a53"),
        BoardModel("pi4", "Raspberry Pi 4", "Cortex-A72", "cortex-a72"),
        BoardModel("pi5", "Raspberry Pi 5", "Cortex-A76", "cortex-a76"),
    )
}

QEMU = "qemu-system-aarch64"
QEMU_PACKAGE = "qemu-system-arm"

WORD = "board"
HELP = (
    f"{', '.join(f'board:{name}' for name in BOARDS)} to count instructions on an emulated "
    "Raspberry Pi"
)
TOOLS = {QEMU: HostTool((QEMU,), "--version", "emulated boards", f"apt-get install {QEMU_PACKAGE}")}


def open_device(spec: str, options: DeviceOptions) -> Device:
    """Return the emulated board that the words name. Raises UsageError."""
    from edgekit_runtimes.devices.board.device import Board
    from edgekit_runtimes.devices.board.guest import SILENCE_LIMIT_S

    board = spec.partition(":")[2]
    if not board:
        known = ", ".join(f"board:{name}" for name in BOARDS)
        raise UsageError(f"Device '{spec}' does not name a board. Write {known}.")
    return Board(board, options.silence_limit_s or SILENCE_LIMIT_S)


def known_devices() -> Iterator[KnownDevice]:
    """Return all boards, and what is missing; they share one userland."""
    from edgekit_runtimes.devices.board.cache import find_userland
    from edgekit_runtimes.devices.board.guest import check_qemu

    reason = None
    try:
        check_qemu()
    except UsageError as error:
        reason = str(error)
    else:
        state = find_userland()
        if state.userland is None:
            reason = f"{state.reason}. Build all boards with: edgekit board build pi5"
    for board in BOARDS.values():
        title = f"{board.title} ({board.cpu}), emulated; counts instructions"
        yield KnownDevice(f"{WORD}:{board.name}", reason is None, reason or title)
