"""The manifest: everything that edgekit.json says. Its JSON Schema is manifest.schema.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from edgekit_runtimes.tensors import Preprocessing, TensorSpec

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

    source: path (relative to the bundle), kind, sha256, signature. tools: versions.
    settings: what all artifacts depend on; a bundle is only continued with the same ones.
    notes: what was done to the source or the data by itself.
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
    notes: tuple[str, ...] = ()
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
            "notes": list(self.notes),
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
            notes=tuple(form["notes"]),
            golden=Golden(**form["golden"]),
            settings=form["settings"],
            tools=form["tools"],
            artifacts=tuple(ArtifactRecord.from_json(record) for record in form["artifacts"]),
        )


def _spec_form(spec: TensorSpec) -> dict[str, Any]:
    """Return the JSON form of a spec, with the layout where it is an image's."""
    form = spec.to_json()
    is_image = len(spec.shape) == 4 and spec.shape[-1] in (1, 3, 4)
    return {**form, "layout": "NHWC"} if is_image else form
