"""What an artifact weighs on disk and in a download."""

from __future__ import annotations

import gzip
from pathlib import Path

from edgekit.bundle.manifest import WireSize
from edgekit_converters.extra import importing_extra

# Web servers compress on the fly at about this quality. 11, brotli's highest, takes a hundred
# times as long for 2 % less on the weights of a neural network.
BROTLI_QUALITY = 5
GZIP_LEVEL = 6


def wire_size(path: Path) -> WireSize:
    """Return the compressed size of a file, or of a folder's files one by one.

    Files of a TF.js folder are separate downloads, so each is compressed on its own.
    """
    with importing_extra("Measuring the size of a download"):
        import brotli

    gzipped = brotlied = 0
    for file in _files(path):
        content = file.read_bytes()
        gzipped += len(gzip.compress(content, GZIP_LEVEL, mtime=0))
        brotlied += len(brotli.compress(content, quality=BROTLI_QUALITY))
    return WireSize(gzip=gzipped, brotli=brotlied)


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
