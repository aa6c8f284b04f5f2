"""Where the boards' userland is kept, and whether it is complete."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from edgekit_runtimes.devices.board.userland_contents import RECIPE_VERSION
from edgekit_runtimes.engines import load_engine

MANIFEST = "manifest.json"
KERNEL = "vmlinuz"
USERLAND = "userland.cpio"
# tflite-runtime with the numpy that it needs: a separate archive, appended only if needed.
TFLITE_RUNTIME = "tflite-runtime.cpio"


@dataclass(frozen=True)
class StoredFile:
    """A file of the userland."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Userland:
    """What all boards boot: a kernel and archives, in one folder.

    python: version in the guest ("3.11"). packages: version of each Debian package and wheel.
    """

    folder: Path
    python: str
    packages: Mapping[str, str]
    files: Mapping[str, StoredFile]

    @property
    def bytes(self) -> int:
        """Its size on the disk."""
        return sum(file.bytes for file in self.files.values())

    def write_manifest(self) -> None:
        """Write the manifest into the folder."""
        form = {
            "recipe": RECIPE_VERSION,
            "python": self.python,
            "packages": dict(self.packages),
            "files": {name: asdict(file) for name, file in self.files.items()},
        }
        (self.folder / MANIFEST).write_text(json.dumps(form, indent=2), encoding="utf-8")


@dataclass(frozen=True)
class CacheState:
    """Whether there is a userland; if none works, `reason` says why."""

    userland: Userland | None
    reason: str = ""


def cache_folder() -> Path:
    """Return where boards are kept: edgekit/boards in the user's cache folder (XDG)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification wants relative paths ignored.
    root = Path(base) if base.startswith("/") else Path.home() / ".cache"
    return root / "edgekit" / "boards"


def userland_folder() -> Path:
    """Return where the userland is once it is built."""
    return cache_folder() / "userland"


def find_userland() -> CacheState:
    """Return the userland, every file of it compared with its hash."""
    folder = userland_folder()
    if not folder.exists():
        return CacheState(None, "not built")
    try:
        form: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        recipe = form["recipe"]
        files = {name: StoredFile(**file) for name, file in form["files"].items()}
        userland = Userland(folder, form["python"], form["packages"], files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return CacheState(None, f"broken: {folder / MANIFEST} is missing or damaged")
    if recipe != RECIPE_VERSION:
        return CacheState(None, "built by another version of edgekit")
    for name, file in files.items():
        if not _is_whole(folder / name, file):
            return CacheState(None, f"broken: {folder / name} is missing or damaged")
    for package, version in wanted_versions().items():
        found = userland.packages.get(package)
        if found not in (version, None):
            return CacheState(None, f"built with {package} {found}, and this host has {version}")
    return CacheState(userland)


def wanted_versions() -> dict[str, str]:
    """Return the engines' versions on this host: boards run the same ones."""
    names = {
        load_engine(module).PACKAGE
        for module in ("edgekit_runtimes.engines.litert", "edgekit_runtimes.engines.onnxruntime")
    }
    versions = {}
    for name in sorted(names | {"numpy"}):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def store(path: Path) -> StoredFile:
    """Return the hash and size of a file."""
    with path.open("rb") as file:
        return StoredFile(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)


def _is_whole(path: Path, file: StoredFile) -> bool:
    try:
        return path.stat().st_size == file.bytes and store(path) == file
    except OSError:
        return False


@contextlib.contextmanager
def locked(wait: Callable[[], None]) -> Iterator[None]:
    """Hold the cache for this process alone; `wait` is called where another one has it.

    The lock ends with the process that holds it, however that ends.
    """
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def clean() -> int:
    """Remove the userland and what was fetched for it; return the bytes that this freed.

    The lock file stays: a build that waits holds it open.
    """
    folder = cache_folder()
    freed = 0
    if folder.exists():
        with locked(lambda: None):
            for entry in folder.iterdir():
                if entry.is_dir():
                    freed += sum(f.lstat().st_size for f in entry.rglob("*") if not f.is_dir())
                    shutil.rmtree(entry)
    return freed
