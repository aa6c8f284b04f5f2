"""Folders of one run: removed with it, or by whoever comes next where it was killed.

Each holds a mark, a file that its owner keeps locked. The kernel releases the lock when the owner
dies, so a marked folder whose lock is free is a dead run's; a folder without a mark is never
touched, whatever its name is.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
import shutil
import tempfile
import threading
from pathlib import Path
from types import TracebackType

from edgekit_runtimes.owned import guard

MARK = ".edgekit-owner"
# What folders for temporary files begin with.
PREFIX = "edgekit-"
# The name of a socket has about 100 bytes at most, and TMPDIR may be long already.
SHORT = Path("/tmp")


class OwnFolder:
    """A new folder in `parent` that belongs to this process. A context manager: it ends with it.

    Raises OSError if it cannot be made.
    """

    def __init__(self, parent: Path, prefix: str) -> None:
        self._mark = -1
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            # Locked before it has its name: nobody may take it for a dead run's in between.
            unlocked = self.path / f"{MARK}.new"
            self._mark = os.open(unlocked, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
            fcntl.flock(self._mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
            unlocked.rename(self.path / MARK)
            guard.tell_folder(self.path)
        except BaseException:
            # Without its mark nobody would know it for ours.
            shutil.rmtree(self.path, ignore_errors=True)
            if self._mark >= 0:
                os.close(self._mark)
            raise

    def remove(self) -> None:
        """Remove it with all that is in it; what cannot be removed is left to the next run."""
        if self._mark >= 0:
            mark, self._mark = self._mark, -1
            _empty(self.path)
            os.close(mark)

    def __enter__(self) -> OwnFolder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()


def sweep(parent: Path, prefix: str) -> None:
    """Remove the folders in `parent` that dead runs of this user left under such names."""
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(prefix) and entry.is_dir(follow_symlinks=False):
                remove_dead(Path(entry.path))


def remove_dead(folder: Path) -> bool:
    """Remove a folder if it is a dead run's of this user; return whether it has a living owner."""
    try:
        mark = os.open(folder / MARK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if os.fstat(mark).st_uid != os.geteuid() or folder.lstat().st_uid != os.geteuid():
            return False
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _empty(folder)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(mark)
    return False


def _empty(folder: Path) -> None:
    """Remove a folder, its mark last: an interruption leaves what the next run recognises."""
    with contextlib.suppress(OSError):
        for entry in folder.iterdir():
            if entry.name != MARK:
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    with contextlib.suppress(OSError):
                        entry.unlink()
        if [entry.name for entry in folder.iterdir()] == [MARK]:
            (folder / MARK).unlink()
            folder.rmdir()


class _Roots:
    """The one folder of this process in each place for temporary files."""

    def __init__(self) -> None:
        self._folders: dict[Path, OwnFolder] = {}
        self._owner = os.getpid()
        self._lock = threading.Lock()

    def at(self, parent: Path) -> Path:
        with self._lock:
            if self._owner != os.getpid():
                # A fork: the folders are its parent's.
                self._folders, self._owner = {}, os.getpid()
            if parent in [folder.path for folder in self._folders.values()]:
                return parent
            known = self._folders.get(parent)
            if known is None or not known.path.is_dir():
                sweep(parent, PREFIX)
                known = self._folders[parent] = OwnFolder(parent, PREFIX)
            return known.path

    def remove(self) -> None:
        with self._lock:
            if self._owner == os.getpid():
                for folder in self._folders.values():
                    folder.remove()
                self._folders.clear()


_roots = _Roots()
remove_temporary = atexit.register(_roots.remove)


def temporary_root(short: bool = False) -> Path:
    """Return this process's own folder for temporary files; the first call sweeps dead runs'.

    short: in /tmp, for paths that must be short.
    """
    return _roots.at(SHORT if short else Path(tempfile.gettempdir()))


def own_temporary_files() -> None:
    """Let libraries write their temporary files into this process's folder, too.

    For programs of ours only: it changes `tempfile` for the whole process.
    """
    tempfile.tempdir = str(temporary_root())


def temporary_folder(short: bool = False) -> tempfile.TemporaryDirectory[str]:
    """Return a new temporary folder, removed with its context or with this process."""
    return tempfile.TemporaryDirectory(dir=temporary_root(short), ignore_cleanup_errors=True)
