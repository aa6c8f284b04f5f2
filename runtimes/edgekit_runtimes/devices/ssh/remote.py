"""The other side of a connection: our program on the device, which keeps files by their hash."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from edgekit_runtimes.devices.process import LastLines, open_pipe, read_lines, write_all
from edgekit_runtimes.devices.ssh import agent
from edgekit_runtimes.devices.ssh.connection import CLOSE_LIMIT_S, Connection
from edgekit_runtimes.devices.ssh.kept_files import KeptFile, ground_floor
from edgekit_runtimes.devices.ssh.python import BOOTSTRAP
from edgekit_runtimes.errors import DeviceError

# A slow card takes seconds to write or to hash what it has taken in; longer is a hang.
STALL_LIMIT_S = 120.0


class Remote:
    """What is kept on the device `name`, and how a worker is started there."""

    def __init__(self, name: str, connection: Connection, python: str) -> None:
        self._name = name
        self._connection = connection
        self._python = python
        self._ground_floor = ground_floor()
        # Where files are, by hash: those that this run has seen there.
        self._kept: dict[str, str] = {}

    def keep(self, files: Mapping[str, KeptFile]) -> dict[str, str]:
        """Copy what is not there yet; return where the files are there, by their paths here.

        Raises DeviceError if they cannot be stored, ConnectionLostError.
        """
        wanted = {file.sha256: file for file in (self._ground_floor, *files.values())}
        new = {sha256: file for sha256, file in wanted.items() if sha256 not in self._kept}
        if new:
            self._send(new)
        return {path: self._kept[file.sha256] for path, file in files.items()}

    def worker_command(self, memory: str) -> list[str]:
        """Return the command that runs a worker there, once `keep` has been called.

        memory: what it may allocate, as the worker's argument.
        """
        unpacked = self._kept[self._ground_floor.sha256] + agent.UNPACKED
        program = Path(agent.__file__)
        path = f"{unpacked}/{program.relative_to(program.parents[3]).as_posix()}"
        return self._connection.command([self._python, "-P", path, "work", self._python, memory])

    def clean(self) -> None:
        """Remove all that is kept there. Raises DeviceError, ConnectionLostError."""
        self._kept.clear()
        with self._program("clean") as program:
            answer = program.answer()
        if "error" in answer:
            raise DeviceError(f"{self._name} cannot remove {answer['folder']}: {answer['error']}.")

    def _send(self, files: Mapping[str, KeptFile]) -> None:
        names = json.dumps([file.to_json() for file in files.values()])
        with self._program("receive") as program:
            program.write([names.encode(), b"\n"])
            first = answer = program.answer()
            if "error" not in first:
                missing = (files[sha256] for sha256 in first["missing"])
                program.write(chunk for file in missing for chunk in file.chunks())
                answer = program.answer()
        if "error" in answer:
            raise DeviceError(
                f"{self._name} cannot keep files in {answer['folder']}: {answer['error']}. Make "
                "sure that there is room and that it can be written to; --clean removes what "
                "edgekit keeps there"
            )
        self._kept.update({sha256: f"{first['folder']}/{sha256}" for sha256 in files})

    @contextlib.contextmanager
    def _program(self, command: str) -> Iterator[_Program]:
        """Run a command of agent.py."""
        source = Path(agent.__file__).read_bytes()
        words = [self._python, "-P", "-c", BOOTSTRAP.format(len(source)), command]
        process = subprocess.Popen(
            self._connection.command(words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._connection.environment,
            start_new_session=True,
            bufsize=0,
        )
        stdin, stdout = open_pipe(process.stdin), open_pipe(process.stdout)
        stderr = LastLines(open_pipe(process.stderr))
        try:
            program = _Program(stdin, stdout)
            program.write([source])
            yield program
        except TimeoutError:
            raise DeviceError(
                f"{self._name} took and sent nothing for {STALL_LIMIT_S:g} s while files were "
                "copied. Look whether it hangs or its disk does, then run the same command again: "
                "what was copied is kept"
            ) from None
        except EOFError:
            code = None
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(CLOSE_LIMIT_S)
            if lost := self._connection.loss_after(code):
                raise lost from None
            stderr.wait()
            raise DeviceError(f"{self._name} gave no answer{_last(stderr.lines)}.") from None
        finally:
            process.kill()
            process.wait()
            stderr.wait()
            for pipe in (stdin, stdout, open_pipe(process.stderr)):
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


class _Program:
    """Our program on the device, while it runs."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self._stdin = stdin
        self._lines = read_lines(stdout, STALL_LIMIT_S)

    def write(self, chunks: Iterable[bytes]) -> None:
        """Send bytes. Raises TimeoutError if nothing of them is taken for long."""
        # A program that gave up has said why: its answer is read nevertheless.
        with contextlib.suppress(BrokenPipeError):
            write_all(self._stdin, chunks, STALL_LIMIT_S)

    def answer(self) -> dict[str, Any]:
        """Return the next answer. Raises EOFError if none comes, TimeoutError if it takes long."""
        line = next(self._lines, None)
        if line is None:
            raise EOFError
        answer: dict[str, Any] = json.loads(line)
        return answer


def _last(lines: Sequence[str]) -> str:
    return "".join(f": {line.rstrip('.')}" for line in lines[-1:])
