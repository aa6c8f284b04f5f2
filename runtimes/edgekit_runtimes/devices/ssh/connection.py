"""A connection to a device, made once by OpenSSH's own client and shared by all that runs there."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from edgekit_runtimes.devices.process import LastLines, open_pipe, read_lines
from edgekit_runtimes.devices.ssh.address import Address
from edgekit_runtimes.errors import ConnectionLostError, DeviceError, UsageError
from edgekit_runtimes.owned.folder import temporary_folder
from edgekit_runtimes.owned.guard import guarded_environment

# For the TCP connection and the server's first words; a board that wakes up from Wi-Fi's power
# saving takes a few seconds.
CONNECT_LIMIT_S = 15
# From then on to a shell: keys, name look-ups, jump hosts. sshd itself gives up after 120 s.
LOGIN_LIMIT_S = 120
# A network that vanishes silently is noticed after three of these.
ALIVE_INTERVAL_S = 15
ALIVE_COUNT = 3
# A connection that is closed in order is gone at once.
CLOSE_LIMIT_S = 5

# ssh's exit code for its own failures.
SSH_FAULT = 255

# Lines of what ssh says. A changed host key alone takes 17.
SAID_LINES = 60

READY = "edgekit-ready"

# What ~/.ssh/config says about these would get in the way; everything else in it counts.
# Host keys are checked as the user has set it up, by default strictly.
OPTIONS: Mapping[str, object] = {
    "BatchMode": "yes",
    "ClearAllForwardings": "yes",
    "ConnectTimeout": CONNECT_LIMIT_S,
    "ControlPersist": "no",
    "ForkAfterAuthentication": "no",
    "ForwardX11": "no",
    "LogLevel": "ERROR",
    "PermitLocalCommand": "no",
    "RemoteCommand": "none",
    "RequestTTY": "no",
    "ServerAliveCountMax": ALIVE_COUNT,
    "ServerAliveInterval": ALIVE_INTERVAL_S,
    "StdinNull": "no",
}


class Connection:
    """A connection to the device at `address`.

    Raises UsageError without an ssh client, DeviceError if the device cannot be reached, its
    host key is not the known one, or it refuses the login.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        if shutil.which("ssh") is None:
            raise UsageError(
                "Devices over SSH need OpenSSH's client. "
                "Install it with: apt-get install openssh-client"
            )
        # Short: the name of a socket has about 100 bytes at most.
        self._folder = temporary_folder(short=True)
        # The connection lasts as long as its own command, which ends with this process.
        self._master = subprocess.Popen(
            self._ssh({"ControlMaster": "yes"}, [f"echo {READY}; exec cat >/dev/null"]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
            # A Ctrl-C is edgekit's, which ends the connection when it has cleaned up.
            start_new_session=True,
        )
        self._said = LastLines(open_pipe(self._master.stderr), SAID_LINES)
        try:
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    @property
    def environment(self) -> dict[str, str]:
        """The environment that ssh runs in: its messages are compared with English words."""
        return guarded_environment({**os.environ, "LC_ALL": "C"})

    def command(self, words: Sequence[str]) -> list[str]:
        """Return the command that runs `words` on the device."""
        # Without the shared connection ssh would quietly make its own.
        options = {"ControlMaster": "no", "ProxyCommand": "exit 1"}
        return self._ssh(options, [shlex.join(words)])

    def loss_after(self, code: int | None) -> ConnectionLostError | None:
        """Return the error where a command ended with `code` because the connection is gone."""
        if code != SSH_FAULT:
            return None
        try:
            self._master.wait(CLOSE_LIMIT_S)
        except subprocess.TimeoutExpired:
            return None
        self._said.wait()
        reason = "".join(f" ({line.rstrip('.')})" for line in self._said.lines[-1:])
        return ConnectionLostError(
            f"the connection to {self._address.target} dropped{reason}. "
            "Run the same command again: what was copied there is kept"
        )

    def close(self) -> None:
        """End the connection and all that runs over it."""
        if self._master.poll() is None:
            with contextlib.suppress(OSError):
                open_pipe(self._master.stdin).close()
            try:
                self._master.wait(CLOSE_LIMIT_S)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._master.pid, signal.SIGKILL)
                self._master.wait()
        self._said.wait()
        for pipe in (self._master.stdin, self._master.stdout, self._master.stderr):
            if pipe:
                pipe.close()
        self._folder.cleanup()

    def _ssh(self, options: Mapping[str, object], words: Sequence[str]) -> list[str]:
        socket = Path(self._folder.name) / "ssh"
        settings = {**OPTIONS, "ControlPath": socket, **options}
        flags = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        return ["ssh", *flags, *self._address.port_words, "--", self._address.target, *words]

    def _wait_until_ready(self) -> None:
        noise = []
        try:
            for line in read_lines(open_pipe(self._master.stdout), LOGIN_LIMIT_S):
                if line.decode(errors="replace").strip() == READY:
                    break
                noise.append(line.decode(errors="replace"))
            else:
                self._master.wait(CLOSE_LIMIT_S)
                self._said.wait()
                raise _refusal(self._address, self._said.lines)
        except (TimeoutError, subprocess.TimeoutExpired):
            raise DeviceError(
                f"{self._address.target} did not finish the login within {LOGIN_LIMIT_S} s. "
                f"Try it by hand: {self._address.typed()}"
            ) from None
        if noise:
            raise DeviceError(
                f"On {self._address.target} the shell prints '{noise[0]}' before any command, "
                "which would be taken for an answer. Make its start-up files (.bashrc and the "
                "like) silent without a terminal."
            )


def _refusal(address: Address, said: Sequence[str]) -> DeviceError:
    """Return the error for what ssh said when it could not connect."""
    name = address.target
    text = "\n".join(said)
    reason = next((line for line in said if not line.startswith("@")), "ssh ended silently")
    if "HOST IDENTIFICATION HAS CHANGED" in text:
        lines = [line.strip() for line in said]
        seen = next((line.rstrip(".") for line in lines if line.startswith("SHA256:")), "unknown")
        remove = next((line for line in lines if line.startswith("ssh-keygen -f")), "")
        return DeviceError(
            f"The host key of {name} has changed: it is not the one in known_hosts. Either the "
            "device was set up again, or something else answers in its place. Compare what answers "
            f"({seen}) with the device's own keys (there: for key in /etc/ssh/ssh_host_*.pub; do "
            "ssh-keygen -lf $key; done). Only if they agree, forget the old key with: "
            f"{remove}, then connect once by hand: {address.typed()}"
        )
    if "Host key verification failed" in text:
        return DeviceError(
            f"The host key of {name} is not known here. Connect once by hand, compare the "
            f"fingerprint and answer yes: {address.typed()}"
        )
    if "Permission denied" in text or "Too many authentication failures" in text:
        return DeviceError(
            f"{name} refused the login: {reason.rstrip('.')}. edgekit asks for no password. Put "
            f"your key on the device with: {address.typed('ssh-copy-id')}, and if the key has "
            "a passphrase give it to the agent with: ssh-add"
        )
    return DeviceError(
        f"{name} cannot be reached: {reason.rstrip('.')}. Check that it is on and that the "
        f"address is right, then try: {address.typed()}"
    )
