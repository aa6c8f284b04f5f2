"""Devices over SSH that cannot be used: every message says what to do."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from ssh_server import make_key, running_server, spec, write_script

from edgekit_runtimes.devices import open_device
from edgekit_runtimes.devices.ssh import connection
from edgekit_runtimes.errors import DeviceError, UsageError


def refusal(words: str, kind: type[Exception] = DeviceError) -> str:
    with pytest.raises(kind) as caught:
        open_device(words)
    return str(caught.value)


# --- No connection ------------------------------------------------------------------------------


def test_a_closed_port_is_reported_with_the_line_to_try(ssh_server):
    assert refusal("ssh://me@pi:1") == (
        "me@pi cannot be reached: ssh: connect to host 127.0.0.1 port 1: Connection refused. "
        "Check that it is on and that the address is right, then try: ssh -p 1 me@pi"
    )


def test_an_unknown_name_is_reported(ssh_server):
    message = refusal("ssh://nobody.invalid")
    assert message.startswith(
        "nobody.invalid cannot be reached: ssh: Could not resolve hostname nobody.invalid: "
    )


def test_a_device_that_never_answers_is_given_up(ssh_server, monkeypatch):
    monkeypatch.setitem(connection.OPTIONS, "ConnectTimeout", 1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        message = refusal(f"ssh://pi:{silent.getsockname()[1]}")
    assert message.startswith(
        "pi cannot be reached: Connection timed out during banner exchange. Check that it is on"
    )


def test_an_unknown_host_key_is_never_accepted_silently(ssh_server):
    ssh_server.known_hosts.write_text("")
    assert refusal("ssh://pi") == (
        "The host key of pi is not known here. Connect once by hand, compare the fingerprint and "
        "answer yes: ssh pi"
    )
    assert ssh_server.known_hosts.read_text() == ""


def test_a_changed_host_key_stops_everything_and_says_what_to_compare(ssh_server):
    make_key(ssh_server.folder / "another")
    ssh_server.trust(ssh_server.folder / "another.pub")
    known = ssh_server.known_hosts.read_text()
    answer = subprocess.run(
        ["ssh-keygen", "-lf", ssh_server.folder / "host_key.pub"], capture_output=True, text=True
    )
    message = refusal("ssh://pi")
    assert message.startswith(
        "The host key of pi has changed: it is not the one in known_hosts. Either the device was "
        "set up again, or something else answers in its place. Compare what answers "
        f"({answer.stdout.split()[1]}) with the device's own keys"
    )
    forget = f'ssh-keygen -f "{ssh_server.known_hosts}" -R "[127.0.0.1]:{ssh_server.port}"'
    assert f"Only if they agree, forget the old key with: {forget}, then connect once" in message
    assert ssh_server.known_hosts.read_text() == known


def test_a_key_that_the_device_does_not_know_is_refused_without_a_question(ssh_server):
    (ssh_server.folder / "authorized_keys").write_text("")
    message = refusal("ssh://pi")
    assert message.startswith("pi refused the login: ")
    assert message.endswith(
        ": Permission denied (publickey). edgekit asks for no password. Put your key on the "
        "device with: ssh-copy-id pi, and if the key has a passphrase give it to the agent "
        "with: ssh-add"
    )


def test_start_up_files_that_print_are_found_out(tmp_path, monkeypatch):
    noisy = write_script(
        tmp_path / "noisy", 'echo "Welcome to my board"; exec sh -c "$SSH_ORIGINAL_COMMAND"'
    )
    with running_server(tmp_path / "server", monkeypatch, f"ForceCommand {noisy}"):
        message = refusal("ssh://pi")
    assert message.startswith("On pi the shell prints 'Welcome to my board' before any command")


def test_a_server_that_allows_one_session_only_is_reported(tmp_path, monkeypatch):
    with running_server(tmp_path / "server", monkeypatch, "MaxSessions 1"):
        message = refusal(spec())
    assert message.startswith("pi runs nothing over the connection: ")
    assert "MaxSessions" in message


def test_without_an_ssh_client_the_package_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert refusal("ssh://pi", UsageError) == (
        "Devices over SSH need OpenSSH's client. Install it with: apt-get install openssh-client"
    )


# --- No Python ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("python", "reason"),
    [
        ("/nowhere/python3", "No such file or directory"),
        ("/etc", "Is a directory"),
        ("/bin/false", "it does not answer"),
    ],
)
def test_a_path_to_no_python_is_reported_with_the_shells_reason(ssh_server, python, reason):
    message = refusal(spec(python), UsageError)
    assert message.startswith(f"{python} is not a Python interpreter that runs on pi: ")
    assert message.endswith(
        f"{reason}. Give the path of one, as in ssh://pi/home/pi/edgekit/bin/python."
    )


def answering_python(folder: Path, **changes: object) -> Path:
    """A stand-in for a Python that this machine cannot have: it answers as that one would."""
    answer = {"version": [3, 11, 2], "bits": 64, "environment": False, "home": "/home/pi"}
    text = json.dumps({**answer, "found": [], **changes})
    return write_script(folder / "python", f"cat >/dev/null; echo '{text}'")


def test_a_python_that_is_too_old_is_refused_with_its_version(ssh_server, tmp_path):
    python = answering_python(tmp_path, version=[3, 9, 2])
    assert refusal(spec(python), UsageError).startswith(
        f"{python} on pi is Python 3.9.2, and edgekit's worker needs 3.11 to 3.13. Raspberry Pi "
        "OS has one since its version 12 (Bookworm)."
    )


def test_a_32_bit_python_is_refused(ssh_server, tmp_path):
    python = answering_python(tmp_path, bits=32, found=["numpy"])
    assert refusal(spec(python), UsageError).startswith(
        f"{python} on pi is Python 3.11.2 for 32 bits, and the engines come for 64 bits only."
    )


def test_a_bare_python_gets_the_lines_that_make_a_virtual_environment(ssh_server, tmp_path):
    # -S: without the packages that are installed.
    bare = write_script(tmp_path / "python", f'exec {sys.executable} -S -E "$@"')
    version = ".".join(map(str, sys.version_info[:3]))
    home = Path.home()
    assert refusal(spec(bare), UsageError) == (
        f"{bare} on pi is Python {version} without numpy and without an engine. Install it with: "
        f"ssh pi '{bare} -m venv ~/edgekit && ~/edgekit/bin/pip install ai-edge-litert numpy' "
        f"and then use ssh://pi{home}/edgekit/bin/python"
    )


def test_an_empty_virtual_environment_gets_the_line_that_fills_it(ssh_server, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "e"], check=True)
    python = tmp_path / "e" / "bin" / "python"
    message = refusal(spec(python), UsageError)
    line = f"ssh pi '{python} -m pip install ai-edge-litert numpy'"
    assert message.endswith(f"without numpy and without an engine. Install it with: {line}")


def test_an_engine_that_is_missing_is_named_for_its_format_only(ssh_server, tmp_path):
    python = answering_python(tmp_path, found=["numpy", "tflite_runtime"])
    with open_device(spec(python)) as device:
        assert device.engine_for("tflite").module == "edgekit_runtimes.engines.tflite_runtime"
        assert device.engine_for("onnx").reason == (
            "onnxruntime is not installed there. Install it with: "
            f"ssh pi '{python} -m venv ~/edgekit && ~/edgekit/bin/pip install onnxruntime' "
            "and then use ssh://pi/home/pi/edgekit/bin/python"
        )
        assert device.engine_for("tfjs").reason.startswith("needs host, node, browser:")
