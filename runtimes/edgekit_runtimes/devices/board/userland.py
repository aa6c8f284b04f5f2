"""Packages become archives: Debian's and the wheels, without what no worker needs."""

from __future__ import annotations

import lzma
import re
import subprocess
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from edgekit_runtimes.devices.board.initramfs import Archive
from edgekit_runtimes.devices.board.userland_contents import (
    KERNEL_MODULES,
    PACKAGES_FOLDER,
    UNWANTED_FILES,
    UNWANTED_WHEEL_FILES,
)
from edgekit_runtimes.errors import DeviceError

# Folders at the root that are links into usr/, as on every Debian since 12. Debian 12's packages
# still bring some of their files as lib/…, which the kernel would not unpack through a link.
MERGED = ("bin", "sbin", "lib")

DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")


def write_userland(
    path: Path, python: str, debs: Iterable[Path], kernel_deb: Path, wheels: Sequence[Path]
) -> None:
    """Write the archive of everything except tflite-runtime."""
    with path.open("wb") as stream, Archive(stream) as archive:
        for folder in MERGED:
            archive.add_link(folder, f"usr/{folder}")
        for folder in ("dev", "usr/bin", "usr/sbin"):
            archive.add_folder(folder)
        # What the kernel gives the first process as its standard streams.
        archive.add_character_device("dev/console", 5, 1)
        archive.add_link("usr/bin/python3", f"python{python}")
        for deb in debs:
            _add_deb(archive, deb)
        _add_modules(archive, kernel_deb)
        add_wheels(archive, wheels, PACKAGES_FOLDER)


def add_wheels(archive: Archive, wheels: Sequence[Path], folder: str) -> None:
    """Add what is in the wheels to a folder of the guest."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as content:
            for name in content.namelist():
                if not name.endswith("/") and not _matches(name, UNWANTED_WHEEL_FILES):
                    archive.add_file(f"{folder}/{name}", content.read(name))


def read_kernel(deb: Path) -> bytes:
    """Return the kernel of its package. Raises DeviceError if there is none in it."""
    for member, content in _files_of(deb):
        if member.name.startswith("boot/vmlinuz-"):
            return content
    raise DeviceError(f"{deb.name} holds no kernel.")


def _add_deb(archive: Archive, deb: Path) -> None:
    for member, content in _files_of(deb):
        path = _merged(member.name)
        if _matches(path, UNWANTED_FILES):
            continue
        if member.issym():
            archive.add_link(path, member.linkname)
        else:
            archive.add_file(path, content, executable=bool(member.mode & 0o100))


def _merged(path: str) -> str:
    return f"usr/{path}" if PurePosixPath(path).parts[0] in MERGED else path


def _add_modules(archive: Archive, kernel_deb: Path) -> None:
    """Add the kernel modules, and the order in which they are to be loaded."""
    modules = {}
    for member, content in _files_of(kernel_deb):
        name = PurePosixPath(member.name).name
        if name.endswith((".ko", ".ko.xz")):
            modules[name.split(".")[0].replace("-", "_")] = (
                content if name.endswith(".ko") else lzma.decompress(content)
            )
    order = load_order(modules, KERNEL_MODULES)
    for name in order:
        archive.add_file(f"modules/{name}.ko", modules[name])
    archive.add_file("modules/order", "".join(f"{name}.ko\n" for name in order).encode())


def load_order(modules: Mapping[str, bytes], wanted: Sequence[str]) -> list[str]:
    """Return `wanted` and what they depend on, each after its own dependencies.

    modules: name -> content. What none of them has is built into the kernel.
    """
    order: list[str] = []

    def add(name: str) -> None:
        if name in order or name not in modules:
            return
        match = DEPENDS.search(modules[name])
        for dependency in match[1].decode().split(",") if match else ():
            add(dependency.replace("-", "_"))
        order.append(name)

    for name in wanted:
        add(name)
    return order


def _files_of(deb: Path) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Yield the files and links of a Debian package; names do not begin with "./"."""
    with subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as content:
                for member in content:
                    member.name = member.name.removeprefix("./")
                    if member.issym():
                        yield member, b""
                    elif member.islnk():
                        raise DeviceError(f"{deb.name} holds a hard link, {member.name}.")
                    elif (file := content.extractfile(member)) is not None:
                        yield member, file.read()
        except tarfile.TarError as error:
            raise DeviceError(
                f"{deb.name} is damaged: {error}. Run: edgekit board clean"
            ) from error


def _matches(path: str, patterns: Iterable[str]) -> bool:
    return any(re.fullmatch(pattern, path) for pattern in patterns)
