"""`edgekit demo`: the files of a site, and the folders that it leaves alone."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_artifacts
from conftest import ROOT, Answer, listing

from edgekit.demo import site as site_module
from edgekit_runtimes.artifact import sha256_of
from edgekit_runtimes.devices.browser import device as browser_device

Cli = Callable[..., Answer]
Refused = Callable[..., tuple[str, int]]
Bundles = Callable[..., Path]

WRONG_USE, FAILED = 2, 3
ENGINES = ("tfjs", "litertjs", "ort-web")


@pytest.fixture(autouse=True)
def pages(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lay out the pages as the build does, with the real page and a byte for each other file."""
    folder = tmp_path_factory.mktemp("built") / "pages"
    names = ["runner.html", "sw.js", "licences.txt", "assets/demo.js", "assets/demo-style.css"]
    for name in (*names, *(f"runtimes/{engine}/engine.wasm" for engine in ENGINES)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    shutil.copy(ROOT / "web/src/demo/index.html", folder / "demo.html")
    monkeypatch.setattr(browser_device, "PAGES", folder)
    return folder


@pytest.fixture
def bundle(bundles: Bundles) -> Path:
    return bundles("dense_net", "--recipe", "fp32,int8", "--io", "int8")


@pytest.fixture
def own_bundle(bundle: Path, tmp_path: Path) -> Path:
    """A copy of the bundle to change."""
    return Path(shutil.copytree(bundle, tmp_path / "own.edgekit"))


def site_json(folder: Path) -> dict[str, Any]:
    form: dict[str, Any] = json.loads((folder / "site.json").read_text())
    return form


def change_manifest(bundle: Path, **changes: Any) -> None:
    path = bundle / "edgekit.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_site_holds_the_page_the_artifacts_and_the_samples(
    cli: Cli, bundle: Path, tmp_path: Path
) -> None:
    answer = cli("demo", bundle)
    assert answer.exit_code == 0
    site = tmp_path / "site"
    for name in ("index.html", "sw.js", "licences.txt", "assets/demo.js", "golden/input-0.npy"):
        assert (site / name).is_file()
    form = site_json(site)
    ids = [artifact["id"] for artifact in form["artifacts"]]
    assert ids == ["tflite/fp32", "tflite/int8", "tfjs/fp32", "onnx/fp32", "onnx/int8"]
    for artifact_id, path in {
        "tflite/int8": "tflite/int8.tflite",
        "tfjs/fp32": "tfjs/fp32",
        "onnx/int8": "onnx/int8.onnx",
    }.items():
        assert artifact_id in ids
        assert sha256_of(site / "artifacts" / path) == sha256_of(bundle / path)
    lines = answer.out.splitlines()
    assert lines[0].startswith("site: 5 artifacts, 16 samples, engines litertjs, tfjs, ort-web; ")
    assert lines[1] == "Look at it with: python -m http.server --directory site"


def test_only_the_engines_of_the_formats_are_copied(
    cli: Cli, bundles: Bundles, tmp_path: Path
) -> None:
    bundle = bundles("dense_net", "--to", "tfjs", "--recipe", "fp32")
    answer = json.loads(cli("demo", bundle, "-o", "small", "--json").out)
    assert answer["engines"] == ["tfjs"]
    assert [path.name for path in (tmp_path / "small/runtimes").iterdir()] == ["tfjs"]
    assert answer["bytes"] == sum(
        path.stat().st_size for path in (tmp_path / "small").rglob("*") if path.is_file()
    )


def test_every_path_is_relative_and_leads_to_a_file(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    cli("demo", bundle)
    site = tmp_path / "site"
    form = site_json(site)
    golden = form["golden"]
    paths = [artifact["path"] for artifact in form["artifacts"]]
    paths += [path for kind in ("first", "inputs", "outputs") for path in golden[kind].values()]
    page = (site / "index.html").read_text()
    paths += [path for path in re.findall(r'(?:href|src)="([^"]+)"', page) if path != "data:,"]
    assert len(paths) == 5 + 3 + 4
    for path in paths:
        assert ":" not in path
        assert not path.startswith("/")
        assert (site / path).is_file(), path


def test_the_samples_are_those_of_the_bundle_as_far_as_they_fit(
    cli: Cli, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = np.load(bundle / "golden/inputs/features.npy")
    outputs = np.load(bundle / "golden/outputs/class.npy")
    for limit, count in ((10**6, 16), (3 * 64 * 4, 3), (1, 1)):
        monkeypatch.setattr(site_module, "GOLDEN_BYTES", limit)
        cli("demo", bundle)
        golden = site_json(tmp_path / "site")["golden"]
        assert golden["count"] == count
        assert np.array_equal(np.load(tmp_path / "site/golden/input-0.npy"), inputs[:count])
        assert np.array_equal(np.load(tmp_path / "site/golden/output-0.npy"), outputs[:count])
        assert np.array_equal(np.load(tmp_path / "site/golden/first-0.npy"), inputs[:1])


def test_the_page_knows_sizes_classes_and_what_an_output_is(
    cli: Cli, own_bundle: Path, tmp_path: Path
) -> None:
    change_manifest(own_bundle, classes=["a", "b", "c", "d"])
    cli("demo", own_bundle)
    form = site_json(tmp_path / "site")
    assert form["classes"] == ["a", "b", "c", "d"]
    assert form["outputs"][0]["kind"] == "probabilities"
    assert form["inputs"][0]["sample"] == [64]
    assert form["picture"] is None
    int8 = {artifact["id"]: artifact for artifact in form["artifacts"]}["tflite/int8"]
    assert int8["io"] == "int8"
    assert int8["bytes"] == (own_bundle / "tflite/int8.tflite").stat().st_size
    assert 0 < int8["wire"]["brotli"] < int8["bytes"]
    assert 0.8 < int8["top1"] <= 1


def test_scores_of_named_classes_and_other_values_are_told_apart(
    cli: Cli, bundles: Bundles, tmp_path: Path
) -> None:
    own = shutil.copytree(bundles("two_in_two_out", "--recipe", "fp32,int8"), tmp_path / "two")
    change_manifest(own, classes=["low", "middle", "high"])
    cli("demo", own)
    kinds = {output["name"]: output["kind"] for output in site_json(tmp_path / "site")["outputs"]}
    assert kinds == {"zone": "scores", "age": "values"}


def test_the_words_of_a_bundle_are_text_in_the_page_and_no_markup(
    cli: Cli, own_bundle: Path, tmp_path: Path
) -> None:
    change_manifest(own_bundle, name='<script>alert("1")</script>')
    cli("demo", own_bundle)
    page = (tmp_path / "site/index.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(&quot;1&quot;)" in page
    assert "{{" not in page


def test_a_site_of_ours_is_replaced_as_a_whole(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    cli("demo", bundle)
    (tmp_path / "site/artifacts/old.tflite").write_text("old")
    assert cli("demo", bundle).exit_code == 0
    assert not (tmp_path / "site/artifacts/old.tflite").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["site"]


def test_an_empty_folder_and_parents_that_are_missing_are_taken(
    cli: Cli, bundle: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for place in ("empty", "not/yet/there"):
        assert cli("demo", bundle, "-o", place).exit_code == 0
        assert (tmp_path / place / "index.html").is_file()


def test_a_folder_of_something_else_is_left_alone_without_force(
    refused: Refused, cli: Cli, bundle: Path, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/cat.jpg").write_text("cat")
    (tmp_path / "photos/site.json").write_text("[1]")
    assert refused("demo", bundle, "-o", "photos") == (
        "photos exists and is not a site that edgekit wrote. Choose another folder with -o, "
        "or replace it "
        "and all that is in it with --force.",
        WRONG_USE,
    )
    assert cli("demo", bundle, "-o", "photos", "--force").exit_code == 0
    assert not (tmp_path / "photos/cat.jpg").exists()


def test_force_never_removes_the_folder_one_is_in_or_the_bundle(
    refused: Refused, bundle: Path, own_bundle: Path
) -> None:
    end = "Choose another folder with -o."
    here = refused("demo", bundle, "-o", ".", "--force")
    assert here == (f". holds the folder you are in. {end}", WRONG_USE)
    for place, words in (("own.edgekit", "holds the bundle"), ("own.edgekit/site", "is inside")):
        message, exit_code = refused("demo", own_bundle, "-o", place, "--force")
        assert exit_code == WRONG_USE
        assert message.startswith(f"{place} {words}")


def test_a_file_in_the_way_is_left_alone(refused: Refused, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("notes")
    message, exit_code = refused("demo", bundle, "-o", "notes")
    assert (message, exit_code) == (
        "notes cannot be made: notes is a file. Choose another place with -o.",
        WRONG_USE,
    )


def test_what_is_not_a_bundle_is_said_not_to_be_one(refused: Refused, tmp_path: Path) -> None:
    assert refused("demo", "nowhere") == ("No such bundle: nowhere", WRONG_USE)
    (tmp_path / "folder").mkdir()
    message = "folder is not a bundle: it holds no edgekit.json."
    assert refused("demo", "folder") == (message, WRONG_USE)


def test_a_bundle_without_artifacts_has_nothing_to_show(refused: Refused, own_bundle: Path) -> None:
    change_manifest(own_bundle, artifacts=[])
    message, exit_code = refused("demo", own_bundle)
    assert exit_code == WRONG_USE
    assert message.startswith(f"{own_bundle} has no artifact to show.")


def test_pages_that_were_not_built_come_with_the_line_that_builds_them(
    refused: Refused, bundle: Path, pages: Path
) -> None:
    shutil.rmtree(pages)
    message, exit_code = refused("demo", bundle)
    assert exit_code == WRONG_USE
    assert message.endswith("make web")


def test_a_missing_artifact_leaves_no_half_site(refused: Refused, own_bundle: Path) -> None:
    (own_bundle / "onnx/int8.onnx").unlink()
    message, exit_code = refused("demo", own_bundle)
    assert exit_code == FAILED
    assert "int8.onnx is missing. Convert again with --force." in message


def test_an_artifact_that_is_not_as_it_was_made_is_not_published(
    refused: Refused, own_bundle: Path
) -> None:
    path = own_bundle / "tflite/fp32.tflite"
    path.write_bytes(path.read_bytes()[:-1])
    message, exit_code = refused("demo", own_bundle)
    assert exit_code == FAILED
    assert "fp32.tflite is not as it was made: its SHA-256 is another." in message


def test_the_page_knows_the_hash_of_each_file_that_it_opens(
    cli: Cli, bundle: Path, tmp_path: Path
) -> None:
    cli("demo", bundle)
    site = tmp_path / "site"
    artifacts = json.loads((site / "site.json").read_text())["artifacts"]
    by_format = {artifact["format"]: artifact for artifact in artifacts}
    for name, artifact in by_format.items():
        path = site / artifact["path"]
        folder = path if path.is_dir() else path.parent
        assert {sha256_of(folder / file) for file in artifact["hashes"]} == {
            *artifact["hashes"].values()
        }
        assert len(artifact["hashes"]) == (2 if name == "tfjs" else 1)


def test_a_link_out_of_the_bundle_is_not_published(
    refused: Refused, own_bundle: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    (own_bundle / "tfjs/fp32/extra.bin").symlink_to(tmp_path / "secret")
    message, exit_code = refused("demo", own_bundle)
    assert exit_code == FAILED
    assert "extra.bin is a link" in message


def test_a_site_that_cannot_be_written_leaves_the_old_one(
    cli: Cli, own_bundle: Path, tmp_path: Path
) -> None:
    cli("demo", own_bundle)
    before = listing(tmp_path / "site")
    (own_bundle / "golden/outputs/class.npy").unlink()
    answer = cli("demo", own_bundle)
    assert answer.exit_code == FAILED
    assert listing(tmp_path / "site") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["own.edgekit", "site"]


@pytest.fixture
def served(bundle: Path, pages: Path, tmp_path: Path) -> Iterator[tuple[str, Any]]:
    """Run `edgekit demo --serve` and return the address with the process."""
    code = (
        "import sys; from pathlib import Path; "
        "from edgekit_runtimes.devices.browser import device; device.PAGES = Path(sys.argv[1]); "
        "from edgekit.cli import main; main(sys.argv[2:])"
    )
    words = [str(pages), "demo", str(bundle), "--serve", "--port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    line = process.stderr.readline()
    match = re.match(r"http://localhost:\d+/", line)
    assert match, line
    try:
        yield match[0], process
    finally:
        process.kill()
        process.wait()


def test_serve_hands_out_the_site_with_the_headers_that_threads_need(
    served: tuple[str, Any],
) -> None:
    url, process = served
    with urllib.request.urlopen(url) as answer:
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
        assert b"<title>dense_net" in answer.read()
    types = {
        "assets/demo.js": "text/javascript; charset=utf-8",
        "runtimes/tfjs/engine.wasm": "application/wasm",
    }
    for path, expected in types.items():
        with urllib.request.urlopen(url + path) as answer:
            assert answer.headers["Content-Type"] == expected
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{url}%2e%2e/site/../../etc/passwd")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 0


def test_serve_answers_only_requests_that_name_this_machine(served: tuple[str, Any]) -> None:
    request = urllib.request.Request(served[0], headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(request)


def test_serve_survives_connections_that_close_at_once(served: tuple[str, Any]) -> None:
    url, process = served
    host = url.split("/")[2]
    request = f"GET /runtimes/tfjs/engine.wasm HTTP/1.1\r\nHost: {host}\r\n\r\n"
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", int(host.split(":")[1]))) as connection:
            connection.sendall(request.encode())
            # A reset, so that the answer meets a closed connection.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with urllib.request.urlopen(url) as answer:
        assert answer.status == 200
    assert process.poll() is None


def test_serve_follows_no_link_that_leads_out_of_the_site(
    served: tuple[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "site" / "link.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{served[0]}link.txt")


def test_serve_sends_nothing_again_that_did_not_change(served: tuple[str, Any]) -> None:
    with urllib.request.urlopen(served[0]) as answer:
        date = answer.headers["Last-Modified"]
    request = urllib.request.Request(served[0], headers={"If-Modified-Since": date})
    with pytest.raises(urllib.error.HTTPError, match="304"):
        urllib.request.urlopen(request)


def test_a_port_that_is_taken_comes_with_the_option_for_another(
    served: tuple[str, Any], cli: Cli, bundle: Path
) -> None:
    port = served[0].rsplit(":", 1)[1].strip("/")
    answer = cli("demo", bundle, "-o", "second", "--serve", "--port", port)
    assert answer.exit_code == WRONG_USE
    assert f"Port {port} of this machine cannot be used" in answer.err
    assert "--port 0" in answer.err


def test_a_demo_of_loose_artifacts_claims_no_original(cli: Cli, tmp_path: Path) -> None:
    artifact = small_artifacts.write_onnx(tmp_path / "dense.onnx")
    answer = cli("demo", artifact, "-o", "site")
    assert answer.exit_code == 0, answer.err
    site = site_json(tmp_path / "site")
    assert site["name"] == "dense.onnx"
    assert [one["id"] for one in site["artifacts"]] == ["onnx/fp32"]
    # Without answers to compare with the page does not speak of an original.
    assert site["golden"]["outputs"] == {}
    page = (tmp_path / "site/index.html").read_text()
    assert "The artifacts were given without data: these samples are noise." in page
