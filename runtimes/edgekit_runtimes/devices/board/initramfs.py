"""Archives that a Linux kernel unpacks as its first file system: cpio in the "newc" form.

The kernel takes several of them one after the other, so that a job's small archive is appended to
a userland's large one. The form is in the kernel's documentation,
`driver-api/early-userspace/buffer-format.rst`.
"""

from __future__ import annotations

import stat
from pathlib import PurePosixPath
from types import TracebackType
from typing import IO, Self

MAGIC = "070701"
END = "TRAILER!!!"
ALIGNMENT = 4
# What the header has room for: sizes are eight hexadecimal digits.
LARGEST_FILE = 0xFFFF_FFFF


class Archive:
    """Writes one archive to `stream`; folders that a path needs are made automatically.

    A context manager: leaving it without an error ends the archive and leaves `stream` open.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._folders = {PurePosixPath(".")}
        self._entries = 0
        self._position = 0

    def add_file(self, path: str, content: bytes, executable: bool = False) -> None:
        """Add a file. `path` is relative to the root, with no leading slash."""
        self._add_parents(path)
        self._add(path, stat.S_IFREG | (0o755 if executable else 0o644), content)

    def add_link(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        self._add_parents(path)
        self._add(path, stat.S_IFLNK | 0o777, target.encode())

    def add_folder(self, path: str) -> None:
        """Add a folder; an existing one is left as it is."""
        self._add_parents(path)
        folder = PurePosixPath(path)
        if folder not in self._folders:
            self._folders.add(folder)
            self._add(path, stat.S_IFDIR | 0o755, b"")

    def add_character_device(self, path: str, major: int, minor: int) -> None:
        """Add a character device."""
        self._add_parents(path)
        self._add(path, stat.S_IFCHR | 0o600, b"", (major, minor))

    def close(self) -> None:
        """Write the end of the archive."""
        self._add(END, 0, b"")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()

    def _add_parents(self, path: str) -> None:
        parent = str(PurePosixPath(path).parent)
        if parent != ".":
            self.add_folder(parent)

    def _add(self, path: str, mode: int, content: bytes, device: tuple[int, int] = (0, 0)) -> None:
        if len(content) > LARGEST_FILE:
            raise ValueError(f"{path} has {len(content)} bytes, more than an archive can hold")
        self._entries += 1
        name = path.encode() + b"\0"
        # Inode, mode, user, group, links, time, size, the archive's device, the entry's own
        # device, length of the name, checksum. A fixed time makes equal content equal bytes.
        fields = (self._entries, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name), 0)
        self._write(MAGIC.encode() + b"".join(b"%08X" % field for field in fields) + name)
        self._write(content)

    def _write(self, data: bytes) -> None:
        padding = -(self._position + len(data)) % ALIGNMENT
        self._stream.write(data)
        self._stream.write(bytes(padding))
        self._position += len(data) + padding
