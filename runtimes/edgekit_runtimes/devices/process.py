"""A worker process: started, fed a job, read event by event, and never left behind."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO

from edgekit_runtimes.errors import DeviceError, map_exceptions
from edgekit_runtimes.owned.guard import guarded_environment
from edgekit_runtimes.protocol.events import named_last
from edgekit_runtimes.protocol.job import Event, Job

# No event for this long means a hung model. A block of slow runs is one of them, so that a model
# that takes minutes per inference still passes, and loading the largest original takes one minute.
SILENCE_LIMIT_S = 600.0

# A worker that has closed its stream has nothing left to do but to unload its libraries.
EXIT_LIMIT_S = 10.0

STDERR_LINES = 20
STDERR_LINE_BYTES = 4096
READ_BYTES = 65536


# Says how a worker ended: its exit code (None if it hangs) and the last lines on its stderr.
Describe = Callable[[int | None, Sequence[str]], str]


class WorkerProcess:
    """One worker and its events."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        describe: Describe | None = None,
    ) -> None:
        self._describe = describe or describe_death
        with map_exceptions(f"The worker cannot be started ({command[0]})", DeviceError, OSError):
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=guarded_environment(environment),
                # In its own group: a Ctrl-C reaches edgekit only, which then ends the group.
                start_new_session=True,
            )
        self._stderr = LastLines(open_pipe(self._process.stderr))

    def events(self, job: Job, silence_limit_s: float = SILENCE_LIMIT_S) -> Iterator[Event]:
        """Send the job and yield the events.

        Where the worker dies, hangs or ends early, the last event is an error with the model that
        was running. The process ends with the iterator.
        """
        model: str | None = None
        done = False
        try:
            self._send(job, silence_limit_s)
            for line in read_lines(open_pipe(self._process.stdout), silence_limit_s):
                event: Event = json.loads(line)
                model = named_last(event, model)
                done = event["event"] == "done"
                yield event
            code = self._wait()
            if not done:
                yield self._error(model, self._describe(code, self._stderr.lines))
        except TimeoutError:
            message = f"no sign of life for {silence_limit_s:g} s: the interpreter was stopped"
            yield self._error(model, message)
        finally:
            self.stop()

    def stop(self) -> None:
        """End the process and all that it started."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._stderr.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()

    def _send(self, job: Job, silence_limit_s: float) -> None:
        stdin = open_pipe(self._process.stdin)
        # A worker that died before it read its job is reported by the end of its stream.
        with contextlib.suppress(BrokenPipeError), stdin:
            write_all(stdin, [job.to_json().encode()], silence_limit_s)

    def _wait(self) -> int | None:
        """Return the exit code, None if the process hangs at its end."""
        try:
            code = self._process.wait(EXIT_LIMIT_S)
        except subprocess.TimeoutExpired:
            return None
        self._stderr.wait()
        return code

    def _error(self, model: str | None, message: str) -> Event:
        return {
            "event": "error",
            "model": model,
            "message": message,
            "stderr": self._stderr.lines,
        }


class LastLines:
    """The last lines of a stream, which is read by a thread until it ends."""

    def __init__(self, stream: IO[bytes], count: int = STDERR_LINES) -> None:
        self._lines: deque[str] = deque(maxlen=count)
        self._thread = threading.Thread(target=self._keep, args=(stream,), daemon=True)
        self._thread.start()

    @property
    def lines(self) -> list[str]:
        """What came last, without blank lines."""
        return [line.rstrip() for line in self._lines if line.strip()]

    def wait(self) -> None:
        """Wait for the end of the stream, but not for a process that holds it open."""
        self._thread.join(EXIT_LIMIT_S)

    def _keep(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(ValueError, OSError):
            for line in iter(lambda: stream.readline(STDERR_LINE_BYTES), b""):
                self._lines.append(line.decode(errors="replace"))


def describe_death(code: int | None, stderr: Sequence[str]) -> str:
    """Return how a worker ended, in words.

    code: negative where a signal ended it; None if it hangs. stderr: what it printed last.
    """
    if code is None:
        return "the interpreter closed its stream and hung"
    if code == -signal.SIGKILL:
        return "the interpreter was killed (signal 9, SIGKILL); often memory had run out"
    said = "".join(f": {line}" for line in stderr[-1:])
    if code >= 0:
        return f"the interpreter ended with exit code {code}{said}"
    name = next((known.name for known in signal.Signals if known == -code), "unknown")
    died = f"the interpreter died (signal {-code}, {name})"
    # A program that aborts says why; before other signals the last line is about something else.
    return died + said if code == -signal.SIGABRT else died


def read_lines(
    stream: IO[bytes], silence_limit_s: float, first_limit_s: float | None = None
) -> Iterator[bytes]:
    """Yield the whole lines of a pipe.

    Raises TimeoutError if nothing comes for that long; first_limit_s is for the first bytes.
    """
    pieces: list[bytes] = []
    limit_s = silence_limit_s if first_limit_s is None else first_limit_s
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            if not selector.select(limit_s):
                raise TimeoutError
            chunk = os.read(stream.fileno(), READ_BYTES)
            if not chunk:
                return
            limit_s = silence_limit_s
            *ends, rest = chunk.split(b"\n")
            for end in ends:
                yield b"".join([*pieces, end])
                pieces.clear()
            pieces.append(rest)


def write_all(stream: IO[bytes], chunks: Iterable[bytes], limit_s: float) -> None:
    """Write to a pipe. Raises TimeoutError if its reader takes nothing for that long."""
    descriptor = stream.fileno()
    os.set_blocking(descriptor, False)
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_WRITE)
        for chunk in chunks:
            left = memoryview(chunk)
            while left:
                if not selector.select(limit_s):
                    raise TimeoutError
                with contextlib.suppress(BlockingIOError):
                    left = left[os.write(descriptor, left) :]


def open_pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """Return a stream of a process that was started with pipes."""
    if stream is None:
        raise DeviceError("The worker was started without its pipes.")
    return stream
