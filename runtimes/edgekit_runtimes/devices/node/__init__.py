"""Node on this machine: engines of the page without a browser, as a service in JavaScript has them.

program.py    which Node is installed
engines.py    which engines of the page run under it, and on which back ends
device.py     the device
"""

from __future__ import annotations

from collections.abc import Iterator

from edgekit_runtimes.devices import Device, DeviceOptions, KnownDevice
from edgekit_runtimes.errors import UsageError

WORD = "node"
HELP = "node:wasm or node:cpu for TF.js under Node, or node for the back end it takes by default"


def open_device(spec: str, options: DeviceOptions) -> Device:
    """Return Node with the back end that the words name. Raises UsageError."""
    from edgekit_runtimes.devices.choices import parse_backend
    from edgekit_runtimes.devices.node.device import Node
    from edgekit_runtimes.devices.node.engines import NODE_BACKENDS
    from edgekit_runtimes.devices.node.program import find_node

    backend = parse_backend(spec, NODE_BACKENDS, "back end under Node")
    find_node()
    return Node(spec, backend)


def known_devices() -> Iterator[KnownDevice]:
    """Return whether there is a Node, and what it runs is built."""
    from edgekit_runtimes.devices.node.engines import NODE_BACKENDS
    from edgekit_runtimes.devices.node.program import find_node

    spec = f"{WORD}[:{'|'.join(NODE_BACKENDS)}]"
    try:
        program = find_node()
    except UsageError as error:
        yield KnownDevice(spec, False, str(error))
        return
    yield KnownDevice(spec, True, f"{program.path}, version {program.version}")
