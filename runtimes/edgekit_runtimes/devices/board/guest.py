"""A booted board: QEMU with tasks appended to its userland, and what the tasks write.

The channel is a separate virtio console, apart from the board's serial console, so that the
kernel's messages never mix with events.
"""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgekit_runtimes.devices.board import QEMU, QEMU_PACKAGE, BoardModel
from edgekit_runtimes.devices.board.initramfs import Archive
from edgekit_runtimes.devices.process import STDERR_LINES, LastLines, open_pipe, read_lines
from edgekit_runtimes.errors import DeviceError, UsageError, map_exceptions
from edgekit_runtimes.owned.folder import temporary_folder
from edgekit_runtimes.owned.guard import guarded_environment

# The guest's first process. It is sent with every boot: it and this module are one protocol.
INIT = Path(__file__).with_name("init")

MEMORY_MB = 2048
# The channel's control lines begin with this byte, which no JSON line and no text holds.
CONTROL = b"\x01"
# A boot takes three seconds on a free machine.
BOOT_LIMIT_S = 120.0
# Five runs of a model of four billion multiplications, in floats, take about seven minutes.
SILENCE_LIMIT_S = 900.0

PANIC = "Kernel panic - not syncing: "
# What a panicking kernel prints: its reason, then registers and the stack.
CONSOLE_LINES = 200

# Everything that would make one boot differ from the next is off: where the kernel and programs are
# in memory, and the randomness that QEMU passes on.
KERNEL_ARGUMENTS = "console=ttyAMA0 quiet panic=-1 nokaslr norandmaps"
MACHINE = "virt,dtb-randomness=off"


@dataclass(frozen=True)
class TaskLine:
    """A line that a task wrote to its standard output."""

    task: int
    text: bytes


@dataclass(frozen=True)
class TaskEnd:
    """A task ended. status: the shell's, 128 + the signal where one ended it."""

    task: int
    status: int
    stderr: tuple[str, ...]

    @property
    def code(self) -> int:
        """The status as `subprocess` has it: negative where a signal ended the task."""
        return 128 - self.status if self.status > 128 else self.status


@dataclass(frozen=True)
class TaskStart:
    """A task began."""

    task: int


Message = TaskStart | TaskLine | TaskEnd


def check_qemu() -> None:
    """Raise UsageError if QEMU is not installed."""
    if shutil.which(QEMU) is None:
        raise UsageError(
            f"Emulated boards need {QEMU}, which is not installed. "
            f"Install it with: sudo apt-get install --no-install-recommends {QEMU_PACKAGE}"
        )


def qemu_version() -> str:
    """Return the emulator's name and version, as in "QEMU 7.2.22"."""
    answer = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=True)
    return f"QEMU {answer.stdout.split('version ')[-1].split()[0]}"


class Guest:
    """One boot. `write_tasks` adds tasks/0/run, tasks/1/run and so on, and what they need.

    archives: what the kernel unpacks before them. outputs: files on the host; the first is
    /dev/vport0p2 in the guest. A context manager: leaving it ends QEMU.
    """

    def __init__(
        self,
        board: BoardModel,
        kernel: Path,
        archives: Sequence[Path],
        write_tasks: Callable[[Archive], None],
        outputs: Sequence[Path] = (),
    ) -> None:
        check_qemu()
        self._board = board
        self._folder = temporary_folder()
        initramfs = Path(self._folder.name) / "initramfs"
        try:
            with initramfs.open("wb") as whole:
                for path in archives:
                    with path.open("rb") as part:
                        shutil.copyfileobj(part, whole, 1 << 20)
                with Archive(whole) as archive:
                    archive.add_file("init", INIT.read_bytes(), executable=True)
                    write_tasks(archive)
            with map_exceptions(f"{QEMU} cannot be started", DeviceError, OSError):
                self._process = subprocess.Popen(
                    self._command(kernel, initramfs, outputs),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=guarded_environment(),
                    # In its own group: a Ctrl-C reaches edgekit only, which then ends QEMU.
                    start_new_session=True,
                )
        except BaseException:
            self._folder.cleanup()
            raise
        self._console = LastLines(open_pipe(self._process.stderr), CONSOLE_LINES)

    def messages(self, silence_limit_s: float = SILENCE_LIMIT_S) -> Iterator[Message]:
        """Yield what the tasks write, until the board powers off.

        Raises DeviceError if the board panics, hangs or does not boot.
        """
        task: int | None = None
        is_running = False
        lines = read_lines(open_pipe(self._process.stdout), silence_limit_s, BOOT_LIMIT_S)
        try:
            for line in lines:
                # A guest that writes has its archives in its memory.
                self._folder.cleanup()
                text, is_control, control = line.partition(CONTROL)
                if text and task is not None:
                    yield TaskLine(task, text)
                if is_control:
                    message = _parse(control.decode())
                    task = message.task
                    is_running = isinstance(message, TaskStart)
                    yield message
        except TimeoutError:
            raise DeviceError(
                f"{self._board.name} gave no sign of life for {silence_limit_s:g} s and was stopped"
                if task is not None
                else f"{self._board.name} did not boot within {BOOT_LIMIT_S:g} s{self._said()}"
            ) from None
        code = self._process.wait()
        self._console.wait()
        if code != 0:
            raise DeviceError(f"{QEMU} ended with exit code {code}{self._said()}")
        panic = [line.split(PANIC)[1] for line in self._console.lines if PANIC in line]
        if panic:
            raise DeviceError(f"the kernel of {self._board.name} panicked: {panic[0]}")
        if is_running or task is None:
            raise DeviceError(f"{self._board.name} powered off in the middle{self._said()}")

    def stop(self) -> None:
        """End QEMU."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._console.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()
        self._folder.cleanup()

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _said(self) -> str:
        lines = self._console.lines
        own = [line for line in lines if line.startswith(f"{QEMU}: ")]
        return "".join(f": {line}" for line in (own or lines)[-1:])

    def _command(self, kernel: Path, initramfs: Path, outputs: Sequence[Path]) -> list[str]:
        command = [
            *(QEMU, "-machine", MACHINE, "-cpu", self._board.qemu_cpu, "-smp", "1"),
            *("-m", str(MEMORY_MB), "-icount", "shift=0,sleep=off", "-no-reboot"),
            *("-nodefaults", "-display", "none", "-nic", "none"),
            *("-kernel", str(kernel), "-initrd", str(initramfs), "-append", KERNEL_ARGUMENTS),
            *("-chardev", "file,id=console,path=/dev/stderr", "-serial", "chardev:console"),
            *("-device", "virtio-serial-device"),
        ]
        for number, path in enumerate(["/dev/stdout", *map(str, outputs)], start=1):
            # A comma in a path would end it.
            escaped = path.replace(",", ",,")
            command += ["-chardev", f"file,id=port{number},path={escaped}"]
            command += ["-device", f"virtserialport,chardev=port{number},nr={number}"]
        return command


def _parse(control: str) -> TaskStart | TaskEnd:
    kind, number, *rest = control.split(" ")
    if kind == "start":
        return TaskStart(int(number))
    status, stderr = rest
    lines = base64.b64decode(stderr).decode(errors="replace").splitlines()
    said = [line.rstrip() for line in lines if line.strip()]
    return TaskEnd(int(number), int(status), tuple(said[-STDERR_LINES:]))
