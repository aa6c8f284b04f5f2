"""Run in a new guest: import what a worker imports, and hand back what Python compiled.

    python -m edgekit_runtimes.devices.board.bytecode ARCHIVE ROOT ENGINE...

The .pyc files that the imports left under ROOT folders become a separate initramfs archive.
Compiling takes most of a worker's start in an emulator; with this archive the start is ten times as
fast. An engine that cannot be imported fails the build.
"""

from __future__ import annotations

import io
import py_compile
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import edgekit_runtimes.worker
from edgekit_runtimes.devices.board.initramfs import Archive
from edgekit_runtimes.engines import load_engine
from edgekit_runtimes.environment import describe_environment
from edgekit_runtimes.errors import EngineError
from edgekit_runtimes.protocol.job import Job
from edgekit_runtimes.tensors import encode_array


def main(arguments: Sequence[str]) -> None:
    """Compile and write the archive."""
    archive, *rest = arguments
    folders = [Path(word) for word in rest if word.startswith("/")]
    for module in rest:
        if not module.startswith("/"):
            _use_engine(module)
    _use_worker()
    # The ground floor may be newer in the job: its files are compared by their hash.
    for file in Path(edgekit_runtimes.__file__).parent.rglob("*.py"):
        py_compile.compile(str(file), invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    with Path(archive).open("wb") as stream, Archive(stream) as output:
        for file in sorted(file for folder in folders for file in folder.rglob("*.pyc")):
            output.add_file(str(file.relative_to("/")), file.read_bytes())


def _use_engine(module: str) -> None:
    """Import an engine's interpreter, by loading a model that is not there."""
    engine = load_engine(module)
    engine.version()
    try:
        engine.load(Path("/no-model"), {})
    except EngineError as error:
        if isinstance(error.__cause__, ImportError):
            raise


def _use_worker() -> None:
    """Touch what a worker imports late."""
    describe_environment()
    stream = io.BytesIO()
    np.save(stream, np.zeros(1))
    stream.seek(0)
    np.load(stream)
    encode_array(np.zeros(1))
    Job((), {}).to_json()


if __name__ == "__main__":
    main(sys.argv[1:])
