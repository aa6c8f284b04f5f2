"""A device over SSH: a connection, the Python there, and files that are kept there."""

from __future__ import annotations

from collections.abc import Iterator

from edgekit_runtimes.devices import Device, DeviceOptions, HostTool, KnownDevice
from edgekit_runtimes.devices.ssh.address import FORM

WORD = "ssh"
HELP = f"{FORM} for a device over SSH"
INSTALL = "apt-get install openssh-client"
TOOLS = {"ssh": HostTool(("ssh",), "-V", "devices over SSH", INSTALL)}


def open_device(spec: str, options: DeviceOptions) -> Device:
    """Connect to the device that the words name. Raises UsageError or DeviceError."""
    from edgekit_runtimes.devices.process import SILENCE_LIMIT_S
    from edgekit_runtimes.devices.ssh.device import Ssh

    return Ssh(spec, options.silence_limit_s or SILENCE_LIMIT_S, options.memory_bytes)


def known_devices() -> Iterator[KnownDevice]:
    """Return whether there is an ssh to connect with."""
    import shutil

    if shutil.which("ssh") is None:
        yield KnownDevice(FORM, False, f"ssh was not found. Install it with: {INSTALL}")
    else:
        needed = "any 64-bit Linux with Python 3.11 to 3.13, numpy and an engine"
        yield KnownDevice(FORM, True, needed)
