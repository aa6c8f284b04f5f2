"""Build the userland that all boards boot: fetch, pack, let the guest compile, and put in place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from edgekit_runtimes.devices.board import BOARDS
from edgekit_runtimes.devices.board.cache import (
    KERNEL,
    TFLITE_RUNTIME,
    USERLAND,
    Userland,
    cache_folder,
    find_userland,
    locked,
    store,
    userland_folder,
    wanted_versions,
)
from edgekit_runtimes.devices.board.guest import Guest, TaskEnd, check_qemu
from edgekit_runtimes.devices.board.initramfs import Archive
from edgekit_runtimes.devices.board.packages import Apt, check_tools, download_wheels, wheel_version
from edgekit_runtimes.devices.board.tasks import (
    GROUND_FLOOR,
    TFLITE_RUNTIME_ENGINE,
    add_ground_floor,
    python_command,
)
from edgekit_runtimes.devices.board.userland import add_wheels, read_kernel, write_userland
from edgekit_runtimes.devices.board.userland_contents import PACKAGES_FOLDER, TFLITE_RUNTIME_FOLDER
from edgekit_runtimes.errors import DeviceError
from edgekit_runtimes.formats import FORMATS

BYTECODE_MODULE = "edgekit_runtimes.devices.board.bytecode"

Report = Callable[[str], None]


def ensure_userland(report: Report) -> Userland:
    """Return the userland, building it first where it is missing, broken or of other versions.

    One process builds; others wait for it. What is already there is not fetched again, and a
    userland is put in place complete or not at all. Raises UsageError if this host cannot build
    one, DeviceError if fetching or the guest fails.
    """
    state = find_userland()
    if state.userland:
        return state.userland
    check_qemu()
    with locked(lambda: report("waiting for another build to end")):
        state = find_userland()
        return state.userland or _build(report)


def _build(report: Report) -> Userland:
    check_tools()
    downloads = cache_folder() / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    report("asking apt for ARM64 packages")
    apt = Apt(downloads / "apt")
    packages = apt.resolve()
    report("fetching the kernel and Python")
    debs = apt.download([*packages.userland, packages.kernel])
    kernel_deb = debs.pop(packages.kernel)
    report("fetching the engines")
    wheels = download_wheels(downloads / "wheels", packages.python, wanted_versions())

    staging = cache_folder() / "building"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    report("packing the userland")
    (staging / KERNEL).write_bytes(read_kernel(kernel_deb))
    write_userland(
        staging / USERLAND, packages.python, debs.values(), kernel_deb, wheels[PACKAGES_FOLDER]
    )
    if old := wheels.get(TFLITE_RUNTIME_FOLDER):
        with (staging / TFLITE_RUNTIME).open("wb") as stream, Archive(stream) as archive:
            add_wheels(archive, old, TFLITE_RUNTIME_FOLDER)
    report("starting it once, to compile its Python")
    _compile(staging)

    versions = {name: packages.versions[name] for name in (*debs, packages.kernel)}
    versions |= dict(wheel_version(wheel) for wheel in wheels[PACKAGES_FOLDER])
    files = {file.name: store(file) for file in sorted(staging.iterdir())}
    userland = Userland(staging, packages.python, versions, files)
    userland.write_manifest()
    return _put_in_place(userland, downloads)


def _put_in_place(userland: Userland, downloads: Path) -> Userland:
    target = userland_folder()
    shutil.rmtree(target, ignore_errors=True)
    userland.folder.rename(target)
    shutil.rmtree(downloads)
    return Userland(target, userland.python, userland.packages, userland.files)


def _compile(folder: Path) -> None:
    """Boot the new userland and append the .pyc files that its Python writes.

    Also the proof that it boots, and that each engine can be imported in it.
    """
    roots = {USERLAND: PACKAGES_FOLDER, TFLITE_RUNTIME: TFLITE_RUNTIME_FOLDER}
    archives = {name: path for name in roots if (path := folder / name).exists()}
    bytecode = [folder / f"{name}.bytecode" for name in archives]

    def write_tasks(archive: Archive) -> None:
        add_ground_floor(archive)
        for number, name in enumerate(archives):
            engines = [
                module
                for kind in FORMATS.values()
                for module in kind.engines.values()
                if (module == TFLITE_RUNTIME_ENGINE) == (name == TFLITE_RUNTIME)
            ]
            # Python's own library is part of the userland, which is always there.
            folders = [f"/{roots[name]}"]
            if name == USERLAND:
                folders += ["/usr/lib", f"/{GROUND_FLOOR}"]
            words = " ".join([f"/dev/vport0p{number + 2}", *folders, *engines])
            script = (
                "unset PYTHONDONTWRITEBYTECODE\n"
                f"{python_command(roots[name])} -m {BYTECODE_MODULE} {words}\n"
            )
            archive.add_file(f"tasks/{number}/run", script.encode())

    board = BOARDS["pi5"]
    with Guest(board, folder / KERNEL, list(archives.values()), write_tasks, bytecode) as guest:
        ends = [message for message in guest.messages() if isinstance(message, TaskEnd)]
    for end in ends:
        if end.status != 0:
            said = "".join(f": {line}" for line in end.stderr[-1:])
            raise DeviceError(f"The new userland cannot run its Python{said}")
    for archive, compiled in zip(archives.values(), bytecode, strict=True):
        with archive.open("ab") as whole, compiled.open("rb") as part:
            shutil.copyfileobj(part, whole)
        compiled.unlink()
