"""This machine: the worker runs in our own interpreter, or in another one on this machine."""

from __future__ import annotations

from collections.abc import Iterator

from edgekit_runtimes.devices import Device, DeviceOptions, KnownDevice
from edgekit_runtimes.errors import UsageError

WORD = "host"
HELP = "host, or host:/path/to/python for the engines of another Python"


def open_device(spec: str, options: DeviceOptions) -> Device:
    """Return this machine with the Python that the words name. Raises UsageError."""
    from edgekit_runtimes.devices.host.device import Host
    from edgekit_runtimes.devices.process import SILENCE_LIMIT_S

    _, colon, python = spec.partition(":")
    if colon and not python:
        raise UsageError(
            f"Device '{spec}' does not name a Python. Write host or host:/path/to/python."
        )
    return Host(
        python or None,
        silence_limit_s=options.silence_limit_s or SILENCE_LIMIT_S,
        memory_bytes=options.memory_bytes,
    )


def known_devices() -> Iterator[KnownDevice]:
    """Return this machine with the engines that our own Python has, and those under Node."""
    from importlib import metadata

    from edgekit_runtimes.devices.host.python import is_here
    from edgekit_runtimes.devices.node.engines import NODE_ENGINES
    from edgekit_runtimes.devices.node.program import find_node
    from edgekit_runtimes.engines import Engine, load_engine
    from edgekit_runtimes.engines.registry import registered_engines

    def version(engine: Engine) -> str:
        try:
            return engine.version()
        except metadata.PackageNotFoundError:
            return "of an unknown version"

    found, missing = [], []
    for entry in registered_engines():
        engine = load_engine(entry.module)
        if all(map(is_here, entry.needed_modules)):
            found.append(f"{entry.word} {version(engine)}")
        else:
            missing.append(engine.PACKAGE)
    try:
        found += [f"{word} under Node {find_node().version}" for word in NODE_ENGINES]
    except UsageError:
        missing.append("Node")
    parts = [*found, *([f"not installed: {', '.join(missing)}"] if missing else [])]
    yield KnownDevice(WORD, bool(found), "; ".join(parts))
