"""The devices that can be used from here as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgekit_runtimes.devices import KnownDevice

if TYPE_CHECKING:
    from rich.console import Console


def print_devices(devices: Sequence[KnownDevice], console: Console) -> None:
    """Print one line per device: those that can be used, then the others."""
    width = max(len(device.spec) for device in devices)
    for usable, title in ((True, "Can be used"), (False, "Cannot be used")):
        lines = [device for device in devices if device.usable is usable]
        if lines:
            console.print(title, style="bold")
        for device in lines:
            text = f"  {device.spec:<{width}}  {device.detail}"
            console.print(text, highlight=False, markup=False)
