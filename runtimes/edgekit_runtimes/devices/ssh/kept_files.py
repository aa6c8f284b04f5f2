"""What jobs need on a device over SSH: edgekit_runtimes, artifacts and samples, by their hash."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgekit_runtimes.protocol.job import Job

COPY_BYTES = 1 << 20

# Zip files begin in 1980: with the same dates the same code is the same file.
ZIP_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class KeptFile:
    """A file that is kept on a device.

    size: in bytes. source: where it is here, or its content.
    unpack: a zip file that is unpacked beside itself.
    """

    sha256: str
    size: int
    source: Path | bytes
    unpack: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return what the device is told about it."""
        return {"sha256": self.sha256, "bytes": self.size, "unpack": self.unpack}

    def chunks(self) -> Iterator[bytes]:
        """Yield the content."""
        if isinstance(self.source, bytes):
            yield self.source
            return
        with self.source.open("rb") as stream:
            while chunk := stream.read(COPY_BYTES):
                yield chunk


def ground_floor() -> KeptFile:
    """Return edgekit_runtimes as it is here, zipped."""
    package = Path(__file__).resolve().parents[2]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(package.rglob("*.py")):
            name = file.relative_to(package.parent).as_posix()
            info = zipfile.ZipInfo(name, ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, file.read_bytes())
    content = buffer.getvalue()
    return KeptFile(hashlib.sha256(content).hexdigest(), len(content), content, unpack=True)


def job_files(job: Job) -> dict[str, KeptFile]:
    """Return the files of a job by their paths; the worker reports what is missing here."""
    paths = [*job.inputs.values(), *(model.path for model in job.models)]
    return {path: _file(Path(path)) for path in dict.fromkeys(paths) if Path(path).is_file()}


def moved_job(job: Job, paths: Mapping[str, str]) -> Job:
    """Return the job with each of the paths replaced by the one on the device."""
    return replace(
        job,
        models=tuple(
            replace(model, path=paths.get(model.path, model.path)) for model in job.models
        ),
        inputs={name: paths.get(path, path) for name, path in job.inputs.items()},
    )


def _file(path: Path) -> KeptFile:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return KeptFile(digest, stream.tell(), path)
