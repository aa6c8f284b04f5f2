"""The device's side of SSH: keeps files by hash, and starts workers that end with the connection.

    receive         stdin: a JSON line with the files that a job needs, then those that are missing
    work PYTHON MEMORY    stdin: a job; runs the worker with this Python and this much memory
    clean           removes all that is kept

It runs on the device and needs the standard library only: for `receive` and `clean` its text is
sent to a Python that has nothing of edgekit yet.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

COPY_BYTES = 1 << 20

# What the folder of an unpacked zip file has at its end.
UNPACKED = ".unpacked"

# A shell reports this plus the signal's number for a program that a signal ended.
SIGNAL_BASE = 128


def kept_folder() -> Path:
    """Return where files are kept: in the user's cache folder (XDG)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification wants relative paths ignored.
    root = Path(base) if base.startswith("/") else Path.home() / ".cache"
    return root / "edgekit" / "device"


def receive() -> int:
    """Take in the files that are not there yet.

    Answers in JSON lines: where files are kept and which ones are missing, then, once those have
    come, what they unpack to. Or the error that stopped it.
    """
    folder = kept_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        wanted: list[dict[str, Any]] = json.loads(sys.stdin.buffer.readline())
        missing = [file for file in wanted if not _is_whole(folder / file["sha256"], file)]
        _answer({"folder": str(folder), "missing": [file["sha256"] for file in missing]})
        for file in missing:
            _store(sys.stdin.buffer, folder / file["sha256"], file)
        for file in wanted:
            if file["unpack"]:
                _unpack(folder / file["sha256"])
        _answer({"done": True})
    except OSError as error:
        _answer({"error": error.strerror or str(error), "folder": str(folder)})
        return 1
    return 0


def work(python: str, memory: str) -> int:
    """Run the worker on the job that comes over stdin; return its exit code.

    When the connection ends, so does the worker, even one that hangs.
    """
    ground_floor = str(Path(__file__).resolve().parents[3])
    paths = [ground_floor, *filter(None, [os.environ.get("PYTHONPATH")])]
    worker = subprocess.Popen(
        # sys.executable may be another one than what was asked for, a wrapper for example.
        [python, "-P", "-m", "edgekit_runtimes.worker", "-", memory],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        start_new_session=True,
    )
    threading.Thread(target=_kill_with_connection, args=(worker.pid,), daemon=True).start()
    code = worker.wait()
    return code if code >= 0 else SIGNAL_BASE - code


def clean() -> int:
    """Remove all that is kept."""
    folder = kept_folder()
    try:
        if folder.exists():
            shutil.rmtree(folder)
        _answer({"done": True})
    except OSError as error:
        _answer({"error": error.strerror or str(error), "folder": str(folder)})
        return 1
    return 0


def _kill_with_connection(group: int) -> None:
    # Without events asked for, poll returns when the other end of the pipe is gone, and only then.
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    poll.poll()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _is_whole(path: Path, file: Mapping[str, Any]) -> bool:
    if not path.is_file() or path.stat().st_size != file["bytes"]:
        return False
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return bool(digest == file["sha256"])


def _store(stream: BinaryIO, path: Path, file: Mapping[str, Any]) -> None:
    """Copy a file from the stream; it appears whole or not at all."""
    digest = hashlib.sha256()
    left = file["bytes"]
    part = _beside(path)
    try:
        with part.open("wb") as copy:
            while left:
                chunk = stream.read(min(left, COPY_BYTES))
                if not chunk:
                    raise OSError("the connection ended in the middle of a file")
                copy.write(chunk)
                digest.update(chunk)
                left -= len(chunk)
        if digest.hexdigest() != file["sha256"]:
            raise OSError("a file changed while it was copied")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _unpack(archive: Path) -> None:
    """Unpack a zip file beside itself."""
    target = archive.with_name(archive.name + UNPACKED)
    if target.exists():
        return
    part = _beside(archive)
    try:
        with zipfile.ZipFile(archive) as content:
            content.extractall(part)
        # If another run was faster, its folder is as good.
        if not target.exists():
            part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.{os.getpid()}.part")


def _answer(form: Mapping[str, Any]) -> None:
    print(json.dumps(form), flush=True)


def main(arguments: Sequence[str]) -> int:
    """Do what the first word says; return the exit code."""
    commands: Mapping[str, Callable[..., int]] = {"receive": receive, "work": work, "clean": clean}
    return commands[arguments[0]](*arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
