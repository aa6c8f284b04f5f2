"""`edgekit devices`: where artifacts can be measured from here."""

from __future__ import annotations

import click

from edgekit import api
from edgekit.cli.common.options import json_option
from edgekit.cli.common.output import print_json, stdout_console

EXAMPLES = """
\b
Examples:
  edgekit devices
  edgekit devices --json
"""


@click.command("devices", epilog=EXAMPLES)
@json_option
def command(as_json: bool) -> None:
    """List the devices that `bench --on` can use from here, and why it cannot use the others.

    Nothing is started and no other machine is asked.
    """
    from edgekit.cli.printers.devices import print_devices

    devices = api.devices()
    if as_json:
        print_json(devices, indent=2)
    else:
        print_devices(devices, stdout_console())
