"""Whether a bundle is what its manifest says: artifacts and golden samples, by their hashes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from edgekit.bundle.bundle import Bundle
from edgekit.bundle.manifest import ArtifactRecord
from edgekit_runtimes.artifact import sha256_of, size_of
from edgekit_runtimes.errors import EdgekitError


@dataclass(frozen=True)
class Verdict:
    """One member of a bundle. fault: what is wrong with it; "" if it is as it was made.

    is_known: whether the manifest has its hash: bundles of older versions have none of the
    original's outputs.
    """

    member: str
    fault: str = ""
    is_known: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


def verify_bundle(bundle: Bundle) -> list[Verdict]:
    """Return a verdict on each artifact and on the golden samples."""
    golden = bundle.manifest.golden
    stored = golden.kind != "noise"
    return [
        *_verdicts_on_artifacts(bundle),
        *([_tried("golden/inputs", bundle.golden_inputs)] if stored else []),
        _tried("golden/outputs", bundle.golden_outputs, golden.outputs_sha256 is not None),
    ]


def _verdicts_on_artifacts(bundle: Bundle) -> Iterator[Verdict]:
    for record in bundle.artifacts:
        if record.status == "ok":
            try:
                yield Verdict(str(record.path), _fault(bundle, record))
            except EdgekitError as error:
                yield Verdict(str(record.path), str(error))


def _fault(bundle: Bundle, record: ArtifactRecord) -> str:
    path = bundle.artifact_path(record)
    if not path.exists():
        return "it is missing"
    if size_of(path) != record.bytes:
        return f"it has {size_of(path):,} bytes, and had {record.bytes:,}"
    return "" if sha256_of(path) == record.sha256 else "its SHA-256 is another"


def _tried(member: str, read: Callable[[], object], is_known: bool = True) -> Verdict:
    try:
        read()
    except EdgekitError as error:
        return Verdict(member, str(error), is_known)
    return Verdict(member, "", is_known)
