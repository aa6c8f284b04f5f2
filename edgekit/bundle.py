"""The bundle: a folder NAME.edgekit with the artifacts, the manifest and the golden samples.

    edgekit.json           the manifest (its JSON Schema: bundle.schema.json beside this file)
    tflite/int8.tflite     artifacts, by format and recipe
    golden/inputs/…        samples in the user's own dtype, one .npy an input
    golden/outputs/…       what the original answers to them

The manifest is written anew after each artifact, so an interrupted conversion can go on.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from edgekit.recipe import QUANTIZATIONS, parse_recipe
from edgekit_runtimes.artifact import FORMATS
from edgekit_runtimes.errors import ArtifactError, UsageError

if TYPE_CHECKING:
    from edgekit_runtimes.tensors import Arrays, Preprocessing, TensorSpec

BUNDLE_SUFFIX = ".edgekit"
MANIFEST_NAME = "edgekit.json"
MANIFEST_SCHEMA_VERSION = 1

Status = Literal["ok", "not available", "failed"]


@dataclass(frozen=True)
class WireSize:
    """Bytes that a download takes."""

    gzip: int
    brotli: int


@dataclass(frozen=True)
class ArtifactRecord:
    """One row of the manifest: a format x a recipe, whether it came to be or not.

    path: relative to the bundle. bytes, wire, sha256, fidelity: None unless status is "ok".
    reason: why there is no artifact. notes: what the user should know about it.
    """

    id: str
    format: str
    recipe: str
    status: Status
    reason: str | None = None
    path: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    wire: WireSize | None = None
    io: str = "float"
    engine_options: Mapping[str, Any] = field(default_factory=dict)
    fidelity: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> ArtifactRecord:
        """Return the record whose JSON form is given."""
        wire = form["wire"]
        return cls(
            **{
                **form,
                "wire": WireSize(**wire) if wire else None,
                "notes": tuple(form["notes"]),
            }
        )


@dataclass(frozen=True)
class Golden:
    """The golden samples, as the manifest describes them.

    kind: "calibration" (stored samples) or "noise" (made again from generator and seed).
    sha256: over the input arrays, before preprocessing.
    """

    kind: Literal["calibration", "noise"]
    count: int
    sha256: str
    generator: str | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Manifest:
    """Everything that edgekit.json says.

    settings: what all artifacts depend on besides the source; a bundle is only continued with
    the same ones. source: path, kind, sha256, signature and notes. tools: versions.
    """

    name: str
    source: Mapping[str, Any]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    preprocessing: Preprocessing
    golden: Golden
    settings: Mapping[str, Any]
    tools: Mapping[str, str]
    classes: tuple[str, ...] = ()
    artifacts: tuple[ArtifactRecord, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "schema": MANIFEST_SCHEMA_VERSION,
            "name": self.name,
            "source": dict(self.source),
            "signature": {
                "inputs": [_spec_form(spec) for spec in self.inputs],
                "outputs": [_spec_form(spec) for spec in self.outputs],
            },
            "preprocessing": self.preprocessing.to_json(),
            "classes": list(self.classes),
            "golden": asdict(self.golden),
            "settings": dict(self.settings),
            "tools": dict(self.tools),
            "artifacts": [
                {**asdict(record), "notes": list(record.notes)} for record in self.artifacts
            ],
        }

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Manifest:
        """Return the manifest whose JSON form is given."""
        from edgekit_runtimes.tensors import Preprocessing, TensorSpec

        signature = form["signature"]
        return cls(
            name=form["name"],
            source=form["source"],
            inputs=tuple(TensorSpec.from_json(spec) for spec in signature["inputs"]),
            outputs=tuple(TensorSpec.from_json(spec) for spec in signature["outputs"]),
            preprocessing=Preprocessing.from_json(form["preprocessing"]),
            classes=tuple(form["classes"]),
            golden=Golden(**form["golden"]),
            settings=form["settings"],
            tools=form["tools"],
            artifacts=tuple(ArtifactRecord.from_json(record) for record in form["artifacts"]),
        )


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk."""

    folder: Path
    manifest: Manifest

    @property
    def artifacts(self) -> tuple[ArtifactRecord, ...]:
        """The manifest's rows."""
        return self.manifest.artifacts

    def artifact_path(self, record: ArtifactRecord) -> Path:
        """Return where an artifact stands.

        Raises ArtifactError where its path leaves the bundle: a bundle may come from anyone.
        """
        path = (self.folder / str(record.path)).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise ArtifactError(
                f"{self.folder / MANIFEST_NAME}: the path '{record.path}' of {record.id} leaves "
                "the bundle. Do not use this bundle."
            )
        return path

    def golden_inputs(self) -> Arrays:
        """Return the golden inputs by name, before preprocessing, samples along the first axis.

        Raises ArtifactError where they are not those that the manifest's hash was made from.
        """
        from edgekit import data

        golden = self.manifest.golden
        if golden.kind == "noise":
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
        """Return the original's outputs on the golden samples, by name."""
        return self._load_arrays("outputs", self.manifest.outputs)

    def _load_arrays(self, kind: str, specs: tuple[TensorSpec, ...]) -> Arrays:
        import numpy as np

        try:
            return {
                spec.name: np.load(golden_file(self.folder, kind, spec.name), allow_pickle=False)
                for spec in specs
            }
        except (OSError, ValueError) as error:
            raise ArtifactError(
                f"{self.folder} has no readable golden {kind} ({error}). "
                "Convert again with --force."
            ) from error

    def with_artifact(self, record: ArtifactRecord) -> Bundle:
        """Return the bundle with one more row, written to disk; a row of the same id goes."""
        rows = [other for other in self.artifacts if other.id != record.id] + [record]
        rows.sort(key=lambda row: (FORMATS.index(row.format), _rank(row.recipe)))
        bundle = replace(self, manifest=replace(self.manifest, artifacts=tuple(rows)))
        bundle.write_manifest()
        return bundle

    def write_manifest(self) -> None:
        """Write edgekit.json, whole or not at all."""
        write_whole(
            self.folder / MANIFEST_NAME,
            (json.dumps(self.manifest.to_json(), indent=2) + "\n").encode(),
        )


def load_bundle(folder: Path) -> Bundle:
    """Open a bundle.

    Raises UsageError where `folder` is none, ArtifactError where its manifest is damaged or of a
    newer edgekit.
    """
    if not folder.exists():
        raise UsageError(f"No such bundle: {folder}")
    path = folder / MANIFEST_NAME
    if not path.is_file():
        raise UsageError(f"{folder} is no bundle: it holds no {MANIFEST_NAME}.")
    try:
        form = json.loads(path.read_text(encoding="utf-8"))
        version = form["schema"]
        if version == MANIFEST_SCHEMA_VERSION:
            return Bundle(folder, Manifest.from_json(form))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(
            f"{path} is damaged ({type(error).__name__}: {error}). Convert again with --force."
        ) from error
    raise ArtifactError(
        f"{path} has schema {version}; this edgekit reads {MANIFEST_SCHEMA_VERSION}. "
        "Upgrade edgekit, or convert again with --force."
    )


def create_bundle(folder: Path, manifest: Manifest, inputs: Arrays, outputs: Arrays) -> Bundle:
    """Write a bundle without artifacts: the manifest and the golden samples.

    It is made beside `folder` and renamed, so that an interruption leaves nothing.
    Noise is not stored: it is made again from its generator and seed.
    """
    import numpy as np

    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    try:
        stored = (
            {"outputs": outputs}
            if manifest.golden.kind == "noise"
            else {
                "inputs": inputs,
                "outputs": outputs,
            }
        )
        for kind, arrays in stored.items():
            for name, array in arrays.items():
                path = golden_file(partial, kind, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                np.save(path, array, allow_pickle=False)
        bundle = Bundle(partial, manifest)
        bundle.write_manifest()
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return replace(bundle, folder=folder)


def golden_file(folder: Path, kind: str, name: str) -> Path:
    """Return where the golden array of an input or output stands."""
    return folder / "golden" / kind / f"{name}.npy"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place and rename it: it appears whole or not at all."""
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _rank(text: str) -> tuple[int, int]:
    """Return where a recipe stands in a table: by pruning, then by quantization."""
    recipe = parse_recipe(text)
    return recipe.prune, QUANTIZATIONS.index(recipe.quantization)


def _spec_form(spec: TensorSpec) -> dict[str, Any]:
    """Return the JSON form of a spec, with the layout where it is an image's."""
    form = spec.to_json()
    is_image = len(spec.shape) == 4 and spec.shape[-1] in (1, 3, 4)
    return {**form, "layout": "NHWC"} if is_image else form
