"""A real sshd on a loopback port, and Pythons for the devices that it represents."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cpio_reader import read_entries

TESTS = Path(__file__).parent
START_LIMIT_S = 10

# What Linux says on a Raspberry Pi 4. QEMU 7.2 shows the host's own file instead, whose x86
# features LiteRT and onnxruntime die of.
CPUINFO = """\
processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3

Model\t\t: Raspberry Pi 4 Model B Rev 1.4
"""


class SshServer:
    """An sshd whose only user is the one who runs the tests; "ssh://pi" reaches it.

    Its folder holds all that ssh and sshd read and write: `config` is what ~/.ssh/config is to a
    user. bin: a folder with an ssh that reads it, for PATH.
    """

    def __init__(self, folder: Path, settings: str = "") -> None:
        self.folder = folder
        self.config = folder / "config"
        self.known_hosts = folder / "known_hosts"
        self.bin = folder / "bin"
        self.cache = folder / "cache"
        self.port = _free_port()
        for key in ("host_key", "key"):
            make_key(folder / key)
        shutil.copy(folder / "key.pub", folder / "authorized_keys")
        self.trust(folder / "host_key.pub")
        self.config.write_text(
            f"Host pi\n  HostName 127.0.0.1\n  Port {self.port}\n"
            f"Host *\n  IdentityFile {folder / 'key'}\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self.known_hosts}\n  GlobalKnownHostsFile /dev/null\n"
        )
        write_script(self.bin / "ssh", f'exec {_program("ssh")} -F {self.config} "$@"')
        sshd_config = folder / "sshd_config"
        sshd_config.write_text(
            f"{settings}\nListenAddress 127.0.0.1\nPort {self.port}\nHostKey {folder}/host_key\n"
            f"AuthorizedKeysFile {folder}/authorized_keys\nPidFile none\nStrictModes no\n"
            "UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            f"SetEnv XDG_CACHE_HOME={self.cache} PYTHONPATH={TESTS}\n"
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        command = [_program("sshd"), "-D", "-E", str(folder / "log"), "-f", str(sshd_config)]
        self._process = subprocess.Popen(command)
        self._wait_until_ready()

    def trust(self, public_key: Path) -> None:
        """Make known_hosts say that this is the server's key, and no other."""
        kind, key = public_key.read_text().split()[:2]
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {kind} {key}\n")

    def kept(self) -> dict[str, int]:
        """Return the files that edgekit keeps on the device, with the time of their change."""
        files = (self.cache / "edgekit").rglob("*")
        return {
            str(file.relative_to(self.cache)): file.stat().st_mtime_ns
            for file in files
            if file.is_file() and "__pycache__" not in file.parts
        }

    def drop_connections(self) -> None:
        """Kill the sshd of every connection, and nothing that runs in them."""
        for pid in _children(self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @property
    def sockets(self) -> set[Path]:
        """The control sockets that the ssh processes of this test share, here on the host."""
        words = [word for pid in _children(os.getpid()) for word in _command_line(pid)]
        return {Path(word.partition("=")[2]) for word in words if word.startswith("ControlPath=")}

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + START_LIMIT_S
        while time.monotonic() < end:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.02)
        raise AssertionError("sshd does not listen")


@contextlib.contextmanager
def running_server(
    folder: Path, monkeypatch: pytest.MonkeyPatch, settings: str = ""
) -> Iterator[SshServer]:
    """Run a server, with its ssh first on PATH."""
    folder.mkdir()
    server = SshServer(folder, settings)
    monkeypatch.setenv("PATH", str(server.bin), prepend=os.pathsep)
    try:
        yield server
    finally:
        server.stop()


def make_key(path: Path) -> None:
    """Write an SSH key without a passphrase, and its public half beside it."""
    command = [_program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(command, check=True)


def write_script(path: Path, line: str) -> Path:
    """Write a shell script of one line and return its path."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return path


def spec(python: Path | str = sys.executable, host: str = "pi") -> str:
    """Return the words that open the device with this Python."""
    return f"ssh://{host}{python}"


def make_arm64_python(folder: Path) -> Path:
    """Unpack the boards' userland and return an ARM64 Python that user-mode emulation runs."""
    from edgekit_runtimes.devices.board.build import ensure_userland
    from edgekit_runtimes.devices.board.cache import USERLAND

    qemu = _program("qemu-aarch64")
    userland = ensure_userland(lambda step: None)
    root = folder / "arm64"
    root.mkdir()
    for entry in read_entries((userland.folder / USERLAND).read_bytes()):
        path = root / entry.path
        if stat.S_ISDIR(entry.mode):
            path.mkdir(parents=True, exist_ok=True)
        elif stat.S_ISLNK(entry.mode):
            path.symlink_to(entry.content.decode())
        elif stat.S_ISREG(entry.mode):
            path.write_bytes(entry.content)
            path.chmod(stat.S_IMODE(entry.mode))
    (root / "proc").mkdir()
    (root / "proc" / "cpuinfo").write_text(CPUINFO)
    python = f"{root}/usr/bin/python{userland.python}"
    # Never -cpu max: QEMU 7.2 is then silently wrong on int8 models.
    return write_script(
        folder / "python-arm64",
        "PYTHONPATH=/packages${PYTHONPATH:+:$PYTHONPATH} "
        f'exec {qemu} -cpu cortex-a72 -L {root} {python} "$@"',
    )


def _program(name: str) -> str:
    packages = {"sshd": "openssh-server", "qemu-aarch64": "qemu-user"}
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    package = packages.get(name, "openssh-client")
    assert path, f"{name} is missing: apt-get install --no-install-recommends {package}"
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # The name, in brackets, may hold blanks.
            after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(after_name[1]) == pid:
                found.append(int(folder.name))
    return found


def _command_line(pid: int) -> list[str]:
    """Return the words that a process was started with; none where it has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return []
