"""The server of browser devices: jobs out, events in, and nothing for anyone else."""

from __future__ import annotations

import http.client
import json
import resource
import socket
import struct
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edgekit_runtimes.devices.browser import server as server_module
from edgekit_runtimes.devices.browser.exchange import Gone, Offer
from edgekit_runtimes.devices.browser.files import JobFiles
from edgekit_runtimes.devices.browser.server import PAGE_IS_GONE, PageServer
from edgekit_runtimes.local_server import MOST_CONNECTIONS, LocalHandler
from edgekit_runtimes.protocol.job import Job, JobModel

PATIENCE_S = 10
SECRET = "nobody's business"


@dataclass(frozen=True)
class Reply:
    """What the server answered."""

    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PageServer]:
    """A server over small pages, whose polls end soon; a file it must not give lies beside them."""
    monkeypatch.setattr(server_module, "POLL_S", 0.2)
    pages = tmp_path / "pages"
    (pages / "assets").mkdir(parents=True)
    (pages / "runner.html").write_text("<p>runner")
    (pages / "assets" / "runner.js").write_text("let x = 1")
    (pages / "assets" / "engine.wasm").write_bytes(b"\0asm")
    (tmp_path / "secret.txt").write_text(SECRET)
    (pages / "link.txt").symlink_to(tmp_path / "secret.txt")
    server = PageServer(pages)
    yield server
    server.close()


def ask(
    server: PageServer, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> Reply:
    """Ask for what is at a path below the runner page's address; post where there is a body."""
    address = urllib.parse.urlsplit(server.url)
    target = path if path.startswith("/") else address.path + path
    connection = http.client.HTTPConnection(address.netloc, timeout=PATIENCE_S)
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("GET" if body is None else "POST", target, content, headers or {})
    answer = connection.getresponse()
    reply = Reply(answer.status, dict(answer.headers.items()), answer.read())
    connection.close()
    return reply


def an_offer(server: PageServer, folder: Path) -> Offer:
    """Return a job with a TFLite file, a TF.js folder and samples."""
    (folder / "net v2.tflite").write_bytes(b"TFL3")
    (folder / "tfjs").mkdir()
    (folder / "tfjs" / "model.json").write_text("{}")
    (folder / "tfjs" / "group1-shard1of1.bin").write_bytes(b"\1\2")
    (folder / "tfjs" / "link.bin").symlink_to(folder / "secret.txt")
    (folder / "x.npy").write_bytes(b"\x93NUMPY")
    models = (
        JobModel("tflite/fp32", "litertjs", str(folder / "net v2.tflite")),
        JobModel("tfjs/fp32", "tfjs", str(folder / "tfjs")),
    )
    number = server.exchange.next_number()
    return Offer(number, JobFiles(number, Job(models, {"x": str(folder / "x.npy")})))


def test_the_runner_page_and_its_files_come_with_their_types(server: PageServer) -> None:
    page = ask(server, "")
    assert (page.status, page.body) == (200, b"<p>runner")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert ask(server, "assets/runner.js").headers["Content-Type"].startswith("text/javascript")
    assert ask(server, "assets/engine.wasm").headers["Content-Type"] == "application/wasm"


def test_the_page_is_isolated_from_other_origins_and_nothing_is_kept(server: PageServer) -> None:
    for path in ("", "assets/runner.js", "job", "nothing-there"):
        headers = ask(server, path).headers
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"


def test_who_does_not_know_the_token_gets_nothing(server: PageServer) -> None:
    for path in ("/", "/runner.html", "/wrong/", "/wrong/job", "/wrong/assets/runner.js"):
        assert ask(server, path).status == 404
    token = urllib.parse.urlsplit(server.url).path.strip("/")
    assert ask(server, f"/{token}").status == 404
    assert ask(server, f"/{token[:-1]}/").status == 404
    assert ask(server, "/wrong/events/1", []).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "%2e%2e/secret.txt",
        "assets/../../secret.txt",
        "..%2fsecret.txt",
        "link.txt",
        "//etc/passwd",
        "%2fetc%2fpasswd",
        "assets",
        "assets/",
        "%00",
        "a" * 5000,
    ],
)
def test_no_path_leads_out_of_the_pages(server: PageServer, path: str) -> None:
    answer = ask(server, path)
    assert answer.status == 404
    assert answer.body == b""


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", ""])
def test_a_foreign_name_that_points_here_gets_nothing(server: PageServer, host: str) -> None:
    assert ask(server, "", headers={"Host": host}).status == 404


def test_a_foreign_page_cannot_post(server: PageServer, tmp_path: Path) -> None:
    offer = an_offer(server, tmp_path)
    with server.exchange.offered(offer):
        ask(server, "job")
        posted = ask(server, f"events/{offer.number}", [], {"Origin": "https://evil.example"})
        assert posted.status == 404
        own = server.url.split("/", 3)
        same = ask(server, f"events/{offer.number}", [], {"Origin": "/".join(own[:3])})
        assert same.status == 204


def test_a_job_waits_for_its_page_and_is_handed_out_once(
    server: PageServer, tmp_path: Path
) -> None:
    assert ask(server, "job").status == 204
    offer = an_offer(server, tmp_path)
    with server.exchange.offered(offer):
        form = json.loads(ask(server, "job").body)
        assert form["number"] == offer.number
        assert [model["path"] for model in form["job"]["models"]] == [
            "files/1/0/net%20v2.tflite",
            "files/1/1/tfjs",
        ]
        assert form["job"]["inputs"] == {"x": "files/1/2/x.npy"}
        assert ask(server, "job").status == 204


def test_a_page_that_already_asks_has_the_job_at_once(server: PageServer, tmp_path: Path) -> None:
    server_module.POLL_S = PATIENCE_S
    page = connect(server, "job")
    time.sleep(0.3)
    offer = an_offer(server, tmp_path)
    began = time.monotonic()
    with server.exchange.offered(offer):
        assert page.recv(12) == b"HTTP/1.1 200"
    assert time.monotonic() - began < PATIENCE_S / 2


def test_the_files_of_the_current_job_are_served_and_no_others(
    server: PageServer, tmp_path: Path
) -> None:
    offer = an_offer(server, tmp_path)
    assert ask(server, "files/1/0/net%20v2.tflite").status == 404
    with server.exchange.offered(offer):
        ask(server, "job")
        assert ask(server, "files/1/0/net%20v2.tflite").body == b"TFL3"
        assert ask(server, "files/1/1/tfjs/group1-shard1of1.bin").body == b"\1\2"
        assert (
            ask(server, "files/1/1/tfjs/model.json").headers["Content-Type"] == "application/json"
        )
        assert ask(server, "files/1/2/x.npy").body == b"\x93NUMPY"
        for path in (
            "1/1/tfjs/link.bin",
            "1/1/../secret.txt",
            "1/secret.txt",
            "2/0/net%20v2.tflite",
        ):
            assert ask(server, f"files/{path}").status == 404
    assert ask(server, "files/1/0/net%20v2.tflite").status == 404


def test_a_file_that_was_removed_is_not_found(server: PageServer, tmp_path: Path) -> None:
    offer = an_offer(server, tmp_path)
    (tmp_path / "net v2.tflite").unlink()
    with server.exchange.offered(offer):
        ask(server, "job")
        assert ask(server, "files/1/0/net%20v2.tflite").status == 404


def test_messages_name_the_paths_that_the_user_knows(server: PageServer, tmp_path: Path) -> None:
    files = an_offer(server, tmp_path).files
    assert files.named("404: files/1/0/net%20v2.tflite") == f"404: {tmp_path}/net v2.tflite"
    assert files.named("404: files/1/1/tfjs/model.json") == f"404: {tmp_path}/tfjs/model.json"


def test_events_arrive_in_their_order(server: PageServer, tmp_path: Path) -> None:
    offer = an_offer(server, tmp_path)
    first, second, third = ({"event": "running", "model": name} for name in "abc")
    with server.exchange.offered(offer):
        ask(server, "job")
        assert ask(server, "events/1", [first, second]).status == 204
        assert ask(server, "events/1", [third]).status == 204
        assert [offer.inbox.get(timeout=1) for _ in range(3)] == [first, second, third]


def test_events_of_a_job_that_is_over_are_refused(server: PageServer, tmp_path: Path) -> None:
    offer = an_offer(server, tmp_path)
    with server.exchange.offered(offer):
        assert ask(server, "events/1", [{"event": "done"}]).status == 410
        ask(server, "job")
        assert ask(server, "events/2", [{"event": "done"}]).status == 410
    assert ask(server, "events/1", [{"event": "done"}]).status == 410
    assert offer.inbox.empty()


@pytest.mark.parametrize("body", [b"", b"no json", b"{}", b"[1]", b'[{"event": 1}]', b"\xff"])
def test_what_is_not_a_list_of_events_is_refused(
    server: PageServer, tmp_path: Path, body: bytes
) -> None:
    offer = an_offer(server, tmp_path)
    with server.exchange.offered(offer):
        ask(server, "job")
        assert ask(server, "events/1", body).status == 400
        assert offer.inbox.empty()


def test_a_body_too_large_is_refused_before_it_is_read(server: PageServer) -> None:
    length = str(server_module.LARGEST_POST_BYTES + 1)
    assert ask(server, "events/1", b"", {"Content-Length": length}).status == 413


def test_a_body_of_a_stranger_is_refused_before_it_is_read(server: PageServer) -> None:
    length = str(server_module.LARGEST_POST_BYTES)
    assert ask(server, "/nobody/events/1", b"", {"Content-Length": length}).status == 404


def connect(server: PageServer, path: str) -> socket.socket:
    """Send a request and return the connection."""
    address = urllib.parse.urlsplit(server.url)
    connection = socket.create_connection((address.hostname, address.port), PATIENCE_S)
    request = f"GET {address.path}{path} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n"
    connection.sendall(request.encode())
    return connection


def test_a_page_that_ends_in_the_middle_of_its_job_is_noticed_at_once(
    server: PageServer, tmp_path: Path
) -> None:
    offer = an_offer(server, tmp_path)
    with server.exchange.offered(offer):
        ask(server, "job")
        page = connect(server, "alive/1")
        assert page.recv(12) == b"HTTP/1.1 200"
        assert offer.inbox.empty()
        page.close()
        assert offer.inbox.get(timeout=PATIENCE_S) == Gone(PAGE_IS_GONE, is_certain=False)


def test_the_connection_of_a_running_page_closes_when_the_job_is_over(
    server: PageServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "LOOK_S", 0.05)
    monkeypatch.setattr(server_module, "ALIVE_S", 0.1)
    offer = an_offer(server, tmp_path)
    with server.exchange.offered(offer):
        ask(server, "job")
        page = connect(server, "alive/1")
        time.sleep(0.5)
    said = b"".join(iter(lambda: page.recv(4096), b""))
    head, _, body = said.partition(b"\r\n\r\n")
    assert b"Content-Length" not in head
    assert 2 <= len(body) <= 5
    assert body.strip() == b""
    assert offer.inbox.empty()


def test_a_job_is_not_lost_to_a_page_that_was_closed_while_it_waited(
    server: PageServer, tmp_path: Path
) -> None:
    server_module.POLL_S = PATIENCE_S
    closed, waiting = connect(server, "job"), connect(server, "job")
    time.sleep(0.3)
    closed.close()
    offer = an_offer(server, tmp_path)
    with server.exchange.offered(offer):
        assert waiting.recv(12) == b"HTTP/1.1 200"


def test_a_page_that_waits_is_told_when_all_is_finished(server: PageServer) -> None:
    server_module.POLL_S = PATIENCE_S
    page = connect(server, "job")
    time.sleep(0.2)
    server.close()
    assert page.recv(12) == b"HTTP/1.1 410"


def test_every_server_has_a_token_of_its_own(server: PageServer, tmp_path: Path) -> None:
    other = PageServer(tmp_path / "pages")
    try:
        token = urllib.parse.urlsplit(server.url).path
        assert ask(other, token).status == 404
    finally:
        other.close()


def test_a_page_that_hangs_up_does_not_end_the_program(server: PageServer) -> None:
    connect(server, "job").close()
    time.sleep(2 * server_module.POLL_S)
    assert ask(server, "").status == 200


def test_json_nested_without_end_and_numbers_without_end_are_refused(server: PageServer) -> None:
    assert ask(server, "events/1", b"[" * 200_000).status == 400
    for path in (f"alive/{'9' * 5000}", f"files/{'9' * 5000}/x", f"events/{'9' * 5000}"):
        assert ask(server, path).status == 404
    assert ask(server, "events/1", b"", {"Content-Length": "9" * 5000}).status == 413


def test_a_thousand_dropped_stalled_and_half_open_connections_keep_no_one_else_out(
    server: PageServer,
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    address = urllib.parse.urlsplit(server.url)
    half = f"POST {address.path}events/1 HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Le"
    threads = threading.active_count()
    kept = []
    try:
        for number in range(1000):
            connection = socket.create_connection((address.hostname, address.port))
            if number % 3 == 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
                continue
            if number % 3 == 1:
                connection.sendall(half.encode())
            kept.append(connection)
            if number % 100 == 0:
                assert ask(server, "").status == 200
        assert ask(server, "").body == b"<p>runner"
        assert threading.active_count() - threads <= MOST_CONNECTIONS + 10
    finally:
        for connection in kept:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_connection_that_asks_nothing_for_long_is_closed(
    server: PageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalHandler, "timeout", 0.2)
    address = urllib.parse.urlsplit(server.url)
    for said in (b"", b"GET / HTTP/1.1\r\nHo"):
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.settimeout(PATIENCE_S)
            connection.sendall(said)
            assert connection.recv(1) == b""
