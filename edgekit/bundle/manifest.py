"""The manifest: everything that edgekit.json says.

The types here are the schema; `manifest.schema.json` beside this file is made from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired, TypedDict

import msgspec
from msgspec import Meta

from edgekit.bundle.history import MANIFEST_SCHEMA_VERSION, UPGRADES
from edgekit.bundle.notes import Note
from edgekit.forms import AtLeastOne, Count, FileKind, Hash, OpenForm, to_form
from edgekit.results.damage import Damage
from edgekit.results.fidelity import Fidelity
from edgekit.results.results import Status
from edgekit_converters.effort import Effort
from edgekit_runtimes.reordered import Axes
from edgekit_runtimes.tensors import Preprocessing, TensorSpec

MANIFEST_NAME = "edgekit.json"
# The layout that is chosen where the user does not say one.
AUTO = "auto"
# The kind of source of a bundle that is made in passing of loose artifacts.
LOOSE = "artifacts"
# A thousand artifacts and the names of 20,000 classes are 3 MB.
MAX_BYTES = 64_000_000
SCHEMA_FILE = Path(__file__).with_name("manifest.schema.json")

IO = Annotated[str, Meta(pattern="^(float|int8)$")]
# Which formats and recipes exist is known to the modules that make them.
FormatWord = Annotated[str, Meta(pattern="^[a-z0-9_-]+$")]
RecipeWord = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*(\+[a-z]+[1-9][0-9]*)*$")]
Dtype = Annotated[str, Meta(pattern="^(bool|u?int(8|16|32|64)|b?float(16|32|64))$")]


class SourceFacts(TypedDict):
    """Where the artifacts come from.

    path, weights: relative to the bundle. signature: of a SavedModel, where one was chosen.
    axes: where the source's own order of axes differs from the bundle's: axis k of its tensor is
    axis axes[name][k] of the bundle's.
    stands_in, files: of loose artifacts: the one whose answers stand in for an original's, and what
    each was given as, by their ids.
    """

    path: str
    kind: str
    sha256: Hash
    signature: str | None
    axes: NotRequired[dict[str, list[Count]]]
    weights: NotRequired[str]
    stands_in: NotRequired[str]
    files: NotRequired[dict[str, str]]


class Trust(TypedDict):
    """What the user allowed so that the source could be loaded."""

    unsafe: bool
    imports: list[str]


class SettingsFacts(TypedDict):
    """What is read of the settings.

    effort: missing in older bundles, which were made with "low".
    """

    source: Hash
    signature: str | None
    input_shapes: dict[str, list[Count]]
    io: IO
    effort: NotRequired[Effort]
    classes: list[str]
    fixed: NotRequired[dict[str, Any]]
    layout: NotRequired[Literal["auto", "nchw", "nhwc"]]
    dtypes: NotRequired[dict[str, str]]
    weights: NotRequired[Hash | None]
    trust: Trust
    calibration: Hash
    preprocessing: Preprocessing


if TYPE_CHECKING:
    SourceForm = Mapping[str, Any]
    Settings = Mapping[str, Any]
else:

    class SourceForm(OpenForm):
        """Where the artifacts come from."""

        KNOWN = SourceFacts

    class Settings(OpenForm):
        """What all artifacts depend on: a conversion continues only with the same."""

        KNOWN = SettingsFacts


class SignatureTensor(msgspec.Struct, frozen=True, omit_defaults=True):
    """An input or output. shape: None where the size is free. layout: of images."""

    name: str
    shape: tuple[Count | None, ...]
    dtype: Dtype
    layout: Literal["NHWC"] | None = None


class Signature(msgspec.Struct, frozen=True):
    """What the model takes and gives."""

    inputs: tuple[SignatureTensor, ...]
    outputs: tuple[SignatureTensor, ...]


def signature_of(inputs: Iterable[TensorSpec], outputs: Iterable[TensorSpec]) -> Signature:
    """Return the signature of these inputs and outputs."""
    return Signature(tuple(map(_signature_tensor, inputs)), tuple(map(_signature_tensor, outputs)))


def _signature_tensor(spec: TensorSpec) -> SignatureTensor:
    is_image = len(spec.shape) == 4 and spec.shape[-1] in (1, 3, 4)
    return SignatureTensor(spec.name, spec.shape, spec.dtype, "NHWC" if is_image else None)


@dataclass(frozen=True)
class WireSize:
    """Bytes that a download takes; the files of a folder are compressed one by one."""

    gzip: Count
    brotli: Count


@dataclass(frozen=True)
class ArtifactRecord:
    """One row of the manifest: a format x a recipe, whether it could be made or not.

    path: relative to the bundle. bytes, wire, sha256: None unless status is "ok".
    reason: why there is no artifact. notes: what the user should know about it.
    engine_options: what the artifact's engine should be started with.
    fidelity: agreement with the original on the golden samples; None unless status is "ok", and
    where there was nothing to run the artifact.
    damage: None except of int8 artifacts that were made with --explain.
    """

    id: str
    format: FormatWord
    recipe: RecipeWord
    status: Status
    reason: str | None = None
    path: str | None = None
    sha256: Hash | None = None
    bytes: Count | None = None
    wire: WireSize | None = None
    io: IO = "float"
    engine_options: OpenForm = field(default_factory=dict)
    fidelity: Fidelity | None = None
    notes: tuple[Note, ...] = ()
    damage: Damage | None = None

    def check_complete(self) -> None:
        """Raise ValueError if it lacks what its status promises, or says too much."""
        is_made = self.status == "ok"
        kept = {name: getattr(self, name) for name in ("path", "sha256", "bytes", "wire")}
        fits = {name: (value is not None) == is_made for name, value in kept.items()}
        fits["fidelity"] = self.fidelity is None or is_made
        fits["reason"] = (self.reason is None) == is_made
        for name, fit in fits.items():
            if not fit:
                raise ValueError(f"`{name}` of {self.id} does not fit its status {self.status!r}")


@dataclass(frozen=True)
class Golden:
    """The golden samples, as the manifest describes them.

    kind: "calibration" (stored samples) or "noise" (made again from generator and seed).
    sha256: over the input arrays (names, dtypes, shapes, values), before preprocessing.
    held_back: whether they were kept from calibration; False in bundles made before they were.
    outputs_sha256: the same over the original's outputs; None in older bundles.
    """

    kind: Literal["calibration", "noise"]
    count: AtLeastOne
    sha256: Hash
    generator: str | None = None
    seed: Count | None = None
    held_back: bool = False
    outputs_sha256: Hash | None = None


@dataclass(frozen=True)
class Manifest:
    """Everything that edgekit.json says.

    source: path (relative to the bundle), kind, sha256, signature. tools: versions.
    classes: names in the order of the output's last axis; empty if they are not known.
    settings: what all artifacts depend on; a bundle is only continued with the same ones.
    notes: what was done to the source or the data automatically.
    """

    schema: Literal[2] = field(init=False)
    name: str
    source: SourceForm
    signature: Signature
    preprocessing: Preprocessing
    golden: Golden
    settings: Settings
    tools: Mapping[str, str]
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    artifacts: tuple[ArtifactRecord, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "schema", MANIFEST_SCHEMA_VERSION)
        for record in self.artifacts:
            record.check_complete()

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What the model takes."""
        return _specs(self.signature.inputs)

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What the model gives."""
        return _specs(self.signature.outputs)

    @property
    def data_axes(self) -> Axes:
        """The source's order of axes, which data may have as well as the bundle's."""
        axes: Axes = self.source.get("axes", {})
        return axes if self.settings.get("layout", AUTO) == AUTO else {}

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        form: dict[str, Any] = to_form(self)
        return form


MANIFEST_FILE = FileKind(
    kind=Manifest,
    word="manifest",
    what="the manifest of a bundle",
    remedy="Convert again with --force.",
    max_bytes=MAX_BYTES,
    version=MANIFEST_SCHEMA_VERSION,
    upgrades=UPGRADES,
)


def _specs(tensors: tuple[SignatureTensor, ...]) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(tensor.name, tensor.shape, tensor.dtype) for tensor in tensors)
