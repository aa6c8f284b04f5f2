"""Only what is inside a bundle, regular and of the size that it says is opened."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles_by_hand import HASH, a_manifest, arrays

from edgekit.bundle.bundle import Bundle, create_bundle, load_bundle
from edgekit.bundle.manifest import ArtifactRecord, WireSize
from edgekit.bundle.members import member
from edgekit.data import arrays_hash
from edgekit.results.fidelity import Fidelity, OutputFidelity
from edgekit_runtimes.errors import ArtifactError

OUTPUT = "golden/outputs/class.npy"


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return create_bundle(tmp_path / "net.edgekit", a_manifest(), *arrays())


def changed(bundle: Bundle, change: Callable[[dict[str, Any]], object]) -> Bundle:
    path = bundle.folder / "edgekit.json"
    form = json.loads(path.read_text())
    change(form)
    path.write_text(json.dumps(form))
    return load_bundle(bundle.folder)


@pytest.mark.parametrize(
    "path",
    ["", ".", "..", "/etc/passwd", "../x", "a/../../x", "./tflite/x", "tflite//x", "a/."],
)
def test_a_path_that_is_not_plainly_inside_is_no_member(tmp_path: Path, path: str) -> None:
    assert member(tmp_path, path) is None
    assert member(tmp_path, "tflite/fp32.tflite") == tmp_path / "tflite/fp32.tflite"


@pytest.mark.parametrize("path", ["edgekit.json", "golden", OUTPUT, ".", "../x"])
def test_the_bundles_own_files_and_what_is_outside_are_no_artifacts(
    bundle: Bundle, path: str
) -> None:
    one = OutputFidelity(2, 1.0, 1.0, 99.0, 0.0)
    row = ArtifactRecord(
        *("tflite/fp32", "tflite", "fp32", "ok", None, path, HASH, 9, WireSize(9, 9)),
        fidelity=Fidelity({"class": one}),
    )
    replace(bundle, manifest=a_manifest(artifacts=(row,))).write_manifest()
    with pytest.raises(ArtifactError, match="Do not use this bundle"):
        load_bundle(bundle.folder)


def as_link(path: Path) -> None:
    path.rename(path.parents[3] / "outside.npy")
    path.symlink_to(path.parents[3] / "outside.npy")


def as_linked_folder(path: Path) -> None:
    path.parent.rename(path.parents[3] / "outside")
    path.parent.symlink_to(path.parents[3] / "outside")


def as_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def as_huge_header(path: Path) -> None:
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (10**12,)}
        np.lib.format.write_array_header_1_0(file, header)


def as_huge_sparse_file(path: Path) -> None:
    with path.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (10**11,)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 10**11)


def as_broken_header(path: Path) -> None:
    text = b"{'descr': ('<f4', 'shape': (1,\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)


def as_endless_shape(path: Path) -> None:
    text = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1" + b"0" * 4000 + b",), }\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)


@pytest.mark.parametrize(
    "spoil",
    [
        *(as_link, as_linked_folder, as_pipe, as_huge_header, as_huge_sparse_file),
        *(as_broken_header, as_endless_shape),
    ],
)
def test_a_golden_array_that_is_not_a_plain_file_of_its_size_is_refused_at_once(
    bundle: Bundle, spoil: Callable[[Path], None]
) -> None:
    spoil(bundle.folder / OUTPUT)
    tracemalloc.start()
    with pytest.raises(ArtifactError, match=r"has no readable golden outputs .*--force"):
        bundle.golden_outputs()
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_golden_outputs_that_were_changed_are_refused_where_the_manifest_has_their_hash(
    bundle: Bundle,
) -> None:
    right = arrays_hash(bundle.golden_outputs())
    whole = changed(bundle, lambda form: form["golden"].update(outputs_sha256=right))
    assert whole.golden_outputs().keys() == {"class"}
    other = changed(bundle, lambda form: form["golden"].update(outputs_sha256=HASH))
    with pytest.raises(ArtifactError, match=r"outputs in .* are not those it was made with"):
        other.golden_outputs()


def test_a_manifest_that_promises_noise_without_end_fills_no_memory(bundle: Bundle) -> None:
    noisy = changed(
        bundle,
        lambda form: form["golden"].update(
            kind="noise", count=10**9, seed=0, generator="numpy.PCG64/sum-of-12-uint16"
        ),
    )
    with pytest.raises(ArtifactError, match=r"1000000000 samples of noise are more than"):
        noisy.golden_inputs()
