"""The guard: a small process that ends what its owner leaves behind, where the owner is killed.

It reads a pipe that the owner holds open. When the owner ends, in whatever way, the kernel closes
the pipe, and the guard kills each process that carries the owner's word in its environment (as all
that they start do) and removes the folders that it was told of (clearing.py).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

# The environment variable by which processes of one run are known.
WORD = "EDGEKIT_RUN"

PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from edgekit_runtimes.owned.clearing import main; main(sys.argv[2])"
)


class _Guard:
    """The guard of this process: started when there is first something to guard."""

    def __init__(self) -> None:
        self._owner = -1
        self._word = ""
        self._pipe: IO[bytes] | None = None
        self._lock = threading.Lock()

    def word(self) -> str:
        with self._lock:
            self._start()
            return self._word

    def tell(self, folder: Path) -> None:
        with self._lock:
            self._start()
            # If the guard itself was killed, the next run sweeps.
            with contextlib.suppress(OSError):
                if self._pipe:
                    os.write(self._pipe.fileno(), os.fsencode(folder.absolute()) + b"\0")

    def _start(self) -> None:
        if self._owner == os.getpid():
            return
        self._word = secrets.token_hex(16)
        package = Path(__file__).resolve().parents[2]
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", PROGRAM, str(package), self._word],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={name: text for name, text in os.environ.items() if name != WORD},
            cwd="/",
            # What is sent to the owner's group is not for the guard.
            start_new_session=True,
        )
        # It outlives this process on purpose: Python must not complain that it still runs.
        process.returncode = 0
        self._pipe, self._owner = process.stdin, os.getpid()


_guard = _Guard()


def guarded_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment for a process that must not outlive this one, and guard it.

    environment: what it is to have besides; None for that of this process.
    """
    return {**(os.environ if environment is None else environment), WORD: _guard.word()}


def tell_folder(folder: Path) -> None:
    """Have the guard remove a folder (folder.py), if this process does not."""
    _guard.tell(folder)
