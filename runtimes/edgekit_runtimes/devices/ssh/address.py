"""Where a device over SSH is: ssh://[user@]host[:port][/path/to/python]."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from edgekit_runtimes.errors import UsageError

FORM = "ssh://[user@]host[:port][/path/to/python]"

# What needs no quoting in a shell. A host or user that began with "-" would be an option of ssh.
WORD = r"[A-Za-z0-9_.][A-Za-z0-9_.+-]*"
IPV6 = r"\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.]+)?\]"
ADDRESS = re.compile(
    rf"ssh://(?:(?P<user>{WORD})@)?(?P<host>{WORD}|{IPV6})(?::(?P<port>\d+))?(?P<python>/.+)?"
)

LARGEST_PORT = 65535


@dataclass(frozen=True)
class Address:
    """A device and the Python on it; None for what ~/.ssh/config or the device decides.

    host: also a name that ~/.ssh/config explains.
    """

    host: str
    user: str | None = None
    port: int | None = None
    python: str | None = None

    @property
    def target(self) -> str:
        """The host as ssh wants it, with the user."""
        return f"{self.user}@{self.host}" if self.user else self.host

    @property
    def port_words(self) -> list[str]:
        """The option that names the port, as ssh and ssh-copy-id want it."""
        return [] if self.port is None else ["-p", str(self.port)]

    def typed(self, command: str = "ssh", remote: str = "") -> str:
        """Return the line that a user types to reach the device with `command`."""
        words = [command, *self.port_words, self.target]
        return shlex.join([*words, remote] if remote else words)

    def with_python(self, python: str) -> str:
        """Return the words that open the device with another Python, an absolute path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port is not None else ""
        return f"ssh://{user}{host}{port}{python}"


def parse_address(spec: str) -> Address:
    """Return the address that "ssh://…" names. Raises UsageError."""
    match = ADDRESS.fullmatch(spec)
    port = int(match["port"]) if match and match["port"] else None
    if match is None or (port is not None and not 1 <= port <= LARGEST_PORT):
        raise UsageError(f"Device '{spec}' is not understood. Write it as {FORM}.")
    return Address(match["host"].strip("[]"), match["user"], port, match["python"])
