"""Places that cannot be written to, through the command line: one message, nothing half-written."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Answer, error_message, listing

from edgekit.bundle.bundle import load_bundle
from edgekit_runtimes.artifact import sha256_of

Refused = Callable[..., tuple[str, int]]
Cli = Callable[..., Answer]
SavedModels = Callable[[str], Path]

WRONG_USE, FAILED = 2, 3

QUICK = ("--to", "tflite", "--recipe", "fp32")

# linux/capability.h, linux/prctl.h
PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2


def test_a_folder_that_holds_something_else_is_left_alone(
    refused: Refused, saved_models: SavedModels, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"cat")
    for more in ((), ("--force",)):
        assert refused("convert", saved_models("dense_net"), "-o", "photos", *more) == (
            "photos exists and is not a bundle. Choose another folder with -o, or move it away.",
            WRONG_USE,
        )


def test_a_file_in_the_place_of_the_bundle_is_left_alone(
    refused: Refused, saved_models: SavedModels, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    model = saved_models("dense_net")
    assert refused("convert", model, "-o", "notes.txt") == (
        "notes.txt exists and is not a bundle. Choose another folder with -o, or move it away.",
        WRONG_USE,
    )
    assert refused("convert", model, "-o", "notes.txt/net.edgekit") == (
        "notes.txt cannot be made: notes.txt is a file. Choose another place with -o.",
        WRONG_USE,
    )


def test_an_empty_folder_and_parents_that_are_missing_are_taken(
    cli: Cli, saved_models: SavedModels, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for place in ("empty", "not/yet/there.edgekit"):
        assert cli("convert", saved_models("dense_net"), *QUICK, "-o", place).exit_code == 0
        assert (tmp_path / place / "tflite" / "fp32.tflite").is_file()


def test_the_bundle_of_another_source_is_left_alone_without_force(
    refused: Refused, cli: Cli, saved_models: SavedModels, tmp_path: Path
) -> None:
    words = (*QUICK, "-o", "net.edgekit")
    cli("convert", saved_models("dense_net"), *words)
    assert refused("convert", saved_models("recurrent_net"), *words) == (
        "net.edgekit was made with other settings (another source). Start over with --force, or "
        "choose another folder with -o.",
        WRONG_USE,
    )
    assert cli("convert", saved_models("recurrent_net"), *words, "--force").exit_code == 0
    assert load_bundle(tmp_path / "net.edgekit").manifest.inputs[0].name == "steps"


def test_a_bundle_made_with_other_settings_is_left_alone(
    refused: Refused, cli: Cli, saved_models: SavedModels, tmp_path: Path
) -> None:
    model = saved_models("dense_net")
    np.savez(tmp_path / "data.npz", x=np.ones((4, 64), np.float32))
    (tmp_path / "names.txt").write_text("a\nb\nc\nd\n")
    cli("convert", model, *QUICK, "-o", "net.edgekit")
    for words, named in (
        (("--calibration", "data.npz"), "calibration data"),
        (("--calibration", "data.npz", "--scale", "2"), "calibration data, preprocessing"),
        (("--classes", "names.txt"), "--classes"),
        (("--unsafe",), "--unsafe or --import"),
    ):
        assert refused("convert", model, *QUICK, *words, "-o", "net.edgekit") == (
            f"net.edgekit was made with other settings (another {named}). Start over with --force, "
            "or choose another folder with -o.",
            WRONG_USE,
        )


def test_force_removes_the_old_bundle_only_when_the_source_is_read(
    refused: Refused, cli: Cli, saved_models: SavedModels, tmp_path: Path
) -> None:
    words = ("-o", "net.edgekit", "--force")
    cli("convert", saved_models("dense_net"), *QUICK, *words)
    (tmp_path / "damaged.keras").write_bytes(b"damaged")
    refused("convert", "damaged.keras", *words)
    refused("convert", saved_models("dense_net"), "--calibration", "nosuch.npz", *words)
    assert load_bundle(tmp_path / "net.edgekit").artifacts[0].status == "ok"


def run_without_privilege(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run a command line for which file permissions count, even where the tests run as root."""

    def drop() -> None:
        prctl = ctypes.CDLL(None).prctl
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            if os.geteuid() == 0 and prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
                raise OSError("root's way around permissions could not be closed")

    return subprocess.run(
        [sys.executable, "-m", "edgekit", *map(str, words)],
        preexec_fn=drop,
        capture_output=True,
        text=True,
        cwd=folder,
    )


def test_a_folder_without_write_permission_is_refused_at_once(
    saved_models: SavedModels, bundles: Callable[..., Path], tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    shutil.copytree(bundles("dense_net", *QUICK), closed / "net.edgekit")
    artifact = closed / "net.edgekit" / "tflite" / "fp32.tflite"
    np.savez(tmp_path / "data.npz", x=np.ones((4, 64), np.float32))
    for path in (closed / "net.edgekit", closed):
        path.chmod(0o555)
    before = listing(tmp_path)
    commands = {
        "closed/new.edgekit": ("convert", saved_models("dense_net"), "-o"),
        "closed/net.edgekit": ("convert", saved_models("dense_net"), "-o"),
        "closed/y.npz": ("run", artifact, "--input", "data.npz", "-o"),
    }
    for place, words in commands.items():
        answer = run_without_privilege(tmp_path, *words, place)
        folder = closed / "net.edgekit" if place == "closed/net.edgekit" else closed
        assert error_message(answer.stderr).endswith(
            f" cannot be made: no permission to write in {folder}. Choose another place with -o."
        )
        assert answer.returncode == WRONG_USE
    assert listing(tmp_path) == before


def test_a_source_without_read_permission_is_named(
    saved_models: SavedModels, tmp_path: Path
) -> None:
    shutil.copy(saved_models("dense_net"), tmp_path / "secret.keras")
    (tmp_path / "secret.keras").chmod(0o000)
    answer = run_without_privilege(tmp_path, "convert", "secret.keras")
    assert error_message(answer.stderr).startswith(
        "secret.keras cannot be read: [Errno 13] Permission denied"
    )
    assert answer.returncode == WRONG_USE


class SmallDisk:
    """A disk that can be filled up; or small files only, which needs no right to mount anything."""

    def __init__(self, folder: Path, may_mount: bool) -> None:
        self.folder = folder
        folder.mkdir()
        self._old = resource.getrlimit(resource.RLIMIT_FSIZE)
        command = ["mount", "-t", "tmpfs", "-o", "size=9m", "tmpfs", str(folder)]
        self._mounted = (
            may_mount
            and shutil.which("mount") is not None
            and subprocess.run(command, capture_output=True).returncode == 0
        )
        self.reason = "No space left on device" if self._mounted else "File too large"

    def fill(self) -> None:
        if self._mounted:
            size = f"size={shutil.disk_usage(self.folder).used + 20_000}"
            subprocess.run(["mount", "-o", f"remount,{size}", str(self.folder)], check=True)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, self._old[1]))

    def make_room(self) -> None:
        if self._mounted:
            subprocess.run(["mount", "-o", "remount,size=9m", str(self.folder)], check=True)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, self._old)

    def close(self) -> None:
        if self._mounted:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, self._old)


@pytest.fixture(params=["disk", "limit"])
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk on which dense_net's TF.js artifacts find no room, once it is filled."""
    disk = SmallDisk(tmp_path / "disk", may_mount=request.param == "disk")
    yield disk
    disk.close()


def test_a_full_disk_is_one_error_and_the_same_command_goes_on(
    cli: Cli, saved_models: SavedModels, small_disk: SmallDisk
) -> None:
    bundle = small_disk.folder / "net.edgekit"
    # TF.js needs no temporary files, which the limit would meet first.
    words = ("--to", "tfjs", "-o", bundle)
    assert cli("convert", saved_models("dense_net"), *words, "--recipe", "fp32").exit_code == 0
    written = listing(bundle / "tfjs/fp32")
    small_disk.fill()
    words = (*words, "--recipe", "fp32,fp16")
    answer = cli("convert", saved_models("dense_net"), *words)
    assert error_message(answer.err) == (
        f"{bundle} could not be written: {small_disk.reason}. Make room or choose another place "
        "with -o, and run the same command again: what was finished is kept."
    )
    assert answer.exit_code == FAILED
    assert {path.name for path in bundle.iterdir()} == {"edgekit.json", "golden", "tfjs"}
    assert [path.name for path in (bundle / "tfjs").iterdir()] == ["fp32"]
    (record,) = load_bundle(bundle).artifacts
    assert sha256_of(bundle / "tfjs/fp32") == record.sha256

    small_disk.make_room()
    assert cli("convert", saved_models("dense_net"), *words).exit_code == 0
    assert [row.id for row in load_bundle(bundle).artifacts] == ["tfjs/fp32", "tfjs/fp16"]
    assert listing(bundle / "tfjs/fp32") == written


def test_a_disk_that_is_full_at_the_first_artifact_leaves_nothing(
    cli: Cli, saved_models: SavedModels, small_disk: SmallDisk
) -> None:
    bundle = small_disk.folder / "net.edgekit"
    small_disk.fill()
    words = ("--to", "tfjs", "--recipe", "fp32", "-o", bundle)
    answer = cli("convert", saved_models("dense_net"), *words)
    assert small_disk.reason in error_message(answer.err)
    assert answer.exit_code == FAILED
    assert not any(small_disk.folder.iterdir())


def test_an_artifact_whose_row_cannot_be_written_does_not_stay(
    cli: Cli, saved_models: SavedModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (saved_models("dense_net"), "--recipe", "fp32", "-o", "net.edgekit")
    cli("convert", *words, "--to", "tflite")
    bundle = tmp_path / "net.edgekit"

    def refuse(path: Path, content: bytes) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("edgekit.bundle.bundle.write_whole", refuse)
    answer = cli("convert", *words, "--to", "tfjs")
    monkeypatch.undo()
    assert error_message(answer.err).startswith(
        "net.edgekit could not be written: Input/output error."
    )
    assert answer.exit_code == FAILED
    assert [record.id for record in load_bundle(bundle).artifacts] == ["tflite/fp32"]
    assert not list(bundle.glob("tfjs/*"))


@pytest.fixture
def own_bundle(bundles: Callable[..., Path], tmp_path: Path) -> Path:
    """A bundle that a test may damage."""
    return Path(shutil.copytree(bundles("dense_net", *QUICK), tmp_path / "net.edgekit"))


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "has manifest schema 99 and this edgekit reads 1 and 2. Upgrade edgekit. Otherwise: Convert": (
        lambda form: form.update(schema=99)
    ),
    "is damaged: object missing required field `golden`. Convert again with --force.": (
        lambda form: form.pop("golden")
    ),
    "is not the manifest of a bundle, or was cut off. Convert again with --force.": (
        lambda form: form.pop("schema")
    ),
    "is damaged: expected `int`, got `str` at golden.count. Convert again with --force.": (
        lambda form: form["golden"].update(count="8")
    ),
    "is damaged: expected `str` matching regex '^[a-z0-9]+(-[a-z0-9]+)*(": (
        lambda form: form["artifacts"][0].update(recipe="int 9")
    ),
    "the path '../../secret' of tflite/fp32 leaves the bundle. Do not use this bundle.": (
        lambda form: form["artifacts"][0].update(path="../../secret")
    ),
    "the path '/etc/passwd' of tflite/fp32 leaves the bundle. Do not use this bundle.": (
        lambda form: form["artifacts"][0].update(path="/etc/passwd")
    ),
}


@pytest.mark.parametrize("command", ["inspect", "bench", "convert"])
@pytest.mark.parametrize("reason", CHANGES)
def test_a_manifest_that_is_not_right_is_reported_with_its_name(
    refused: Refused, saved_models: SavedModels, own_bundle: Path, command: str, reason: str
) -> None:
    form = json.loads((own_bundle / "edgekit.json").read_text())
    CHANGES[reason](form)
    (own_bundle / "edgekit.json").write_text(json.dumps(form))
    model = (saved_models("dense_net"), "-o") if command == "convert" else ()
    message, code = refused(command, *model, "net.edgekit")
    assert message.startswith("net.edgekit/edgekit.json")
    assert reason in message
    assert code == FAILED


@pytest.mark.parametrize("content", [b"", b'{"schema": 1, "na', b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_truncated_manifest_is_reported_and_force_starts_over(
    refused: Refused, cli: Cli, saved_models: SavedModels, own_bundle: Path, content: bytes
) -> None:
    (own_bundle / "edgekit.json").write_bytes(content)
    message, code = refused("inspect", "net.edgekit")
    assert message.startswith("net.edgekit/edgekit.json is ")
    assert message.endswith(". Convert again with --force.")
    assert code == FAILED
    words = (saved_models("dense_net"), *QUICK, "-o", "net.edgekit", "--force")
    assert cli("convert", *words).exit_code == 0
    assert cli("inspect", "net.edgekit").exit_code == 0


def test_a_link_that_leads_out_of_the_bundle_is_refused(
    refused: Refused, own_bundle: Path, tmp_path: Path
) -> None:
    artifact = own_bundle / "tflite" / "fp32.tflite"
    artifact.rename(tmp_path / "elsewhere.tflite")
    artifact.symlink_to(tmp_path / "elsewhere.tflite")
    message, code = refused("inspect", "net.edgekit")
    assert message.endswith("tflite/fp32.tflite is a link. Put the file itself there.")
    assert code == FAILED


def test_golden_samples_that_were_changed_are_refused(
    refused: Refused, saved_models: SavedModels, own_bundle: Path, samples_file: SavedModels
) -> None:
    np.save(own_bundle / "golden" / "inputs" / "features.npy", np.zeros((16, 64), np.float32))
    data = ("--calibration", samples_file("dense_net"))
    made = ("--effort", "low", "-o", "net.edgekit")
    words = (saved_models("dense_net"), *data, "--to", "onnx", *made)
    assert refused("convert", *words) == (
        "The golden samples of net.edgekit are not those it was made with. Convert again with "
        "--force.",
        FAILED,
    )
