"""A job's files as the addresses under which its page fetches them."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from edgekit_runtimes.protocol.job import Job

# The first word of such an address; server.py serves them.
FILES = "files"


class JobFiles:
    """The files of job number `number`: artifacts and samples, and nothing else.

    job: the same job with addresses relative to the runner page instead of paths. The page reports
    files that are missing.
    """

    def __init__(self, number: int, job: Job) -> None:
        paths = [*(model.path for model in job.models), *job.inputs.values()]
        # Two files may have the same name.
        names = {path: f"{place}/{Path(path).name}" for place, path in enumerate(paths)}
        self._paths: Mapping[str, Path] = {
            name: file for path in names for name, file in _files(Path(path), names[path])
        }
        addresses = self._addresses = {
            path: f"{FILES}/{number}/{urllib.parse.quote(name)}" for path, name in names.items()
        }
        self.job = replace(
            job,
            models=tuple(replace(model, path=addresses[model.path]) for model in job.models),
            inputs={name: addresses[path] for name, path in job.inputs.items()},
        )

    def named(self, message: str) -> str:
        """Return a message from the page with the paths that the user knows."""
        for path, address in self._addresses.items():
            message = message.replace(address, path)
        return message

    def at(self, quoted: str) -> Path | None:
        """Return the file whose address ends like this, None if there is none.

        quoted: what follows "files/NUMBER/", as it came over HTTP.
        """
        return self._paths.get(urllib.parse.unquote(quoted))


def _files(path: Path, name: str) -> Iterator[tuple[str, Path]]:
    """Yield the names and paths of a file, or of those in a folder."""
    if not path.is_dir():
        yield name, path
        return
    for file in path.rglob("*"):
        # A link could lead out of the bundle.
        if file.is_file() and not file.is_symlink():
            yield f"{name}/{file.relative_to(path).as_posix()}", file
