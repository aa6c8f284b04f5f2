"""The words that name a device over SSH."""

from __future__ import annotations

import pytest

from edgekit_runtimes.devices.ssh.address import Address, parse_address
from edgekit_runtimes.errors import UsageError


@pytest.mark.parametrize(
    ("spec", "address"),
    [
        ("ssh://raspberrypi", Address("raspberrypi")),
        ("ssh://pi@10.0.0.7:2222", Address("10.0.0.7", "pi", 2222)),
        ("ssh://pi.local/opt/a b/python", Address("pi.local", None, None, "/opt/a b/python")),
        ("ssh://me@[fe80::1%eth0]:22/x", Address("fe80::1%eth0", "me", 22, "/x")),
    ],
)
def test_an_address_has_a_host_and_perhaps_a_user_a_port_and_a_python(spec, address):
    assert parse_address(spec) == address


@pytest.mark.parametrize(
    "spec",
    [
        "ssh:pi",
        "ssh://",
        "ssh:///usr/bin/python3",
        "ssh://pi/",
        "ssh://pi:0",
        "ssh://pi:65536",
        "ssh://pi:secret@host",
        "ssh://-oProxyCommand=reboot",
        "ssh://-l@host",
        "ssh://pi;reboot",
    ],
)
def test_what_is_not_an_address_is_refused_with_the_form_of_one(spec):
    with pytest.raises(UsageError) as caught:
        parse_address(spec)
    assert str(caught.value) == (
        f"Device '{spec}' is not understood. Write it as ssh://[user@]host[:port][/path/to/python]."
    )


def test_advice_has_the_line_that_a_user_would_type():
    address = Address("fe80::1", "pi", 2222)
    assert address.typed() == "ssh -p 2222 pi@fe80::1"
    assert address.typed("ssh-copy-id") == "ssh-copy-id -p 2222 pi@fe80::1"
    assert address.typed(remote="ls ~") == "ssh -p 2222 pi@fe80::1 'ls ~'"
    assert address.with_python("/x") == "ssh://pi@[fe80::1]:2222/x"
