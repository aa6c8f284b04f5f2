"""The bundle: a folder NAME.edgekit with the artifacts, the manifest and the golden samples.

    edgekit.json           the manifest (manifest.py)
    tflite/int8.tflite     artifacts, by format and recipe
    golden/inputs/…        samples in the user's own dtype, one .npy per input
    golden/outputs/…       the original's outputs for them

The manifest is written again after each artifact, so an interrupted conversion can continue.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from edgekit.bundle.manifest import MANIFEST_FILE, MANIFEST_NAME, ArtifactRecord, Manifest
from edgekit.bundle.recipe import rank
from edgekit.files import write_folder, write_npy, write_whole
from edgekit.forms import encode
from edgekit_runtimes.errors import ArtifactError, UsageError
from edgekit_runtimes.formats import FORMATS

if TYPE_CHECKING:
    from edgekit_runtimes.tensors import Arrays, TensorSpec

BUNDLE_SUFFIX = ".edgekit"
GOLDEN = "golden"

# Noise is made in memory, at about 30 bytes a value: eight samples of 4 million values.
MAX_NOISE_VALUES = 32_000_000


@dataclass(frozen=True, repr=False)
class Bundle:
    """A bundle on disk."""

    folder: Path
    manifest: Manifest

    def __repr__(self) -> str:
        """Return the bundle in one line; `edgekit inspect` shows what is in it."""
        made = sum(record.status == "ok" for record in self.artifacts)
        return f"Bundle({str(self.folder)!r}, {made} of {len(self.artifacts)} artifacts made)"

    @property
    def artifacts(self) -> tuple[ArtifactRecord, ...]:
        """The manifest's rows."""
        return self.manifest.artifacts

    def artifact_path(self, record: ArtifactRecord) -> Path:
        """Return the path of an artifact.

        Raises ArtifactError if it is not a member (members.py), or is one of the bundle's own.
        """
        from edgekit.bundle.members import member

        path = str(record.path)
        if path.split("/")[0] in (MANIFEST_NAME, GOLDEN):
            raise self._foreign(f"the path '{path}' of {record.id} is not an artifact's.")
        if (place := member(self.folder, path)) is None:
            raise self._foreign(f"the path '{path}' of {record.id} leaves the bundle.")
        return place

    def golden_inputs(self) -> Arrays:
        """Return the golden inputs by name, before preprocessing, samples along the first axis.

        Raises ArtifactError if they are not those that the manifest's hash was made from.
        """
        from edgekit import data

        golden = self.manifest.golden
        if golden.kind == "noise":
            self._check_noise()
            arrays = data.noise(self.manifest.inputs, golden.count, golden.seed or 0)
        else:
            arrays = self._load_arrays("inputs", self.manifest.inputs)
        if data.arrays_hash(arrays) != golden.sha256:
            raise ArtifactError(
                f"The golden samples of {self.folder} are not those it was made with. "
                "Convert again with --force."
            )
        return arrays

    def golden_outputs(self) -> Arrays:
        """Return the original's outputs on the golden samples, by name.

        Raises ArtifactError if they are not those that the manifest's hash was made from; older
        bundles have none.
        """
        from edgekit import data

        arrays = self._load_arrays("outputs", self.manifest.outputs)
        expected = self.manifest.golden.outputs_sha256
        if expected is not None and data.arrays_hash(arrays) != expected:
            raise ArtifactError(
                f"The original's outputs in {self.folder} are not those it was made with. "
                "Convert again with --force."
            )
        return arrays

    def _check_noise(self) -> None:
        """Raise ArtifactError if the noise that the manifest promises would fill the memory."""
        from edgekit_runtimes.tensors import is_batched, sample_shape

        batched = is_batched(self.manifest.inputs)
        for spec in self.manifest.inputs:
            sizes = (size or 1 for size in sample_shape(spec, batched))
            if math.prod(sizes) * self.manifest.golden.count > MAX_NOISE_VALUES:
                raise self._foreign(
                    f"input '{spec.name}' and {self.manifest.golden.count} samples of noise are "
                    f"more than {MAX_NOISE_VALUES:,} values."
                )

    def _foreign(self, fault: str) -> ArtifactError:
        return ArtifactError(f"{self.folder / MANIFEST_NAME}: {fault} Do not use this bundle.")

    def _load_arrays(self, kind: str, specs: tuple[TensorSpec, ...]) -> Arrays:
        from edgekit.bundle.members import load_array

        try:
            return {
                spec.name: load_array(self.folder, golden_path(kind, spec.name)) for spec in specs
            }
        except ArtifactError as error:
            raise ArtifactError(
                f"{self.folder} has no readable golden {kind} ({error}). "
                "Convert again with --force."
            ) from error

    def with_artifact(self, record: ArtifactRecord) -> Bundle:
        """Return the bundle with one more row, written to disk; it replaces one of the same id."""
        rows = [other for other in self.artifacts if other.id != record.id] + [record]
        rows.sort(key=lambda row: ([*FORMATS].index(row.format), rank(row.recipe)))
        bundle = replace(self, manifest=replace(self.manifest, artifacts=tuple(rows)))
        bundle.write_manifest()
        return bundle

    def write_manifest(self) -> None:
        """Write edgekit.json, whole or not at all."""
        write_whole(self.folder / MANIFEST_NAME, encode(self.manifest, indent=2) + b"\n")


def load_bundle(folder: str | os.PathLike[str]) -> Bundle:
    """Open a bundle.

    A bundle of an older edgekit opens like a current one. Raises UsageError if `folder` is not a
    bundle, ArtifactError if its manifest is damaged, of a newer edgekit, or names files outside
    of the bundle.

    Example:
        >>> import edgekit
        >>> bundle = edgekit.load_bundle("digits.edgekit")
        >>> bundle.manifest.inputs[0].shape
        (None, 28, 28, 1)
        >>> for row in bundle.artifacts:
        ...     print(row.id, bundle.artifact_path(row).name)
        tflite/fp32 fp32.tflite
        tflite/int8 int8.tflite
    """
    folder = Path(folder)
    if not folder.exists():
        raise UsageError(f"No such bundle: {folder}")
    path = folder / MANIFEST_NAME
    if not path.is_file():
        raise UsageError(f"{folder} is not a bundle: it holds no {MANIFEST_NAME}.")
    bundle = Bundle(folder, MANIFEST_FILE.load(path))
    for record in bundle.artifacts:
        if record.path is not None:
            bundle.artifact_path(record)
    return bundle


def create_bundle(folder: Path, manifest: Manifest, inputs: Arrays, outputs: Arrays) -> Bundle:
    """Write a bundle without artifacts: the manifest and the golden samples.

    It is made beside `folder` and takes its place, so that an interruption leaves nothing; what was
    there is removed. Noise is not stored: it is made again from its generator and seed.
    """
    stored = {"outputs": outputs}
    if manifest.golden.kind != "noise":
        stored["inputs"] = inputs

    def write(place: Path) -> Bundle:
        place.mkdir()
        for kind, arrays in stored.items():
            for name, array in arrays.items():
                write_npy(golden_file(place, kind, name), array)
        bundle = Bundle(place, manifest)
        bundle.write_manifest()
        return bundle

    return replace(write_folder(folder, write), folder=folder)


def golden_file(folder: Path, kind: str, name: str) -> Path:
    """Return the path of the golden array of an input or output.

    A name of a SavedModel may hold any character: once quoted, no name leads out of the folder.
    """
    return folder / golden_path(kind, name)


def golden_path(kind: str, name: str) -> str:
    """Return the same path relative to the bundle."""
    return f"{GOLDEN}/{kind}/{quote(name, safe='')}.npy"
