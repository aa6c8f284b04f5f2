"""Packages become archives: what is taken, where it goes, and what is said where it fails."""

from __future__ import annotations

import io
import lzma
import re
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest
from cpio_reader import read_entries

from edgekit_runtimes.devices.board.initramfs import Archive
from edgekit_runtimes.devices.board.packages import Apt, check_tools, wheel_version
from edgekit_runtimes.devices.board.userland import (
    add_wheels,
    load_order,
    read_kernel,
    write_userland,
)
from edgekit_runtimes.devices.board.userland_contents import KERNEL_PACKAGE, USERLAND_PACKAGES
from edgekit_runtimes.errors import DeviceError, UsageError


def module(*depends: str) -> bytes:
    """The part of a kernel module that says what it needs."""
    return b"\x7fELF\0license=GPL\0depends=" + ",".join(depends).encode() + b"\0name=x\0"


def make_deb(folder: Path, name: str, files: dict[str, bytes], links: dict[str, str]) -> Path:
    """Build a Debian package with dpkg-deb."""
    root = folder / name
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN" / "control").write_text(
        f"Package: {name}\nVersion: 1\nArchitecture: arm64\nMaintainer: me\nDescription: test\n"
    )
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    for path, target in links.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).symlink_to(target)
    subprocess.run(["dpkg-deb", "--build", root], check=True, stdout=subprocess.DEVNULL)
    return folder / f"{name}.deb"


@pytest.fixture
def kernel_deb(tmp_path):
    drivers = "lib/modules/6.1/kernel/drivers"
    return make_deb(
        tmp_path,
        "linux-image-6.1-cloud-arm64",
        {
            "boot/vmlinuz-6.1": b"kernel",
            f"{drivers}/virtio.ko": module("virtio_ring"),
            f"{drivers}/virtio_ring.ko": module(),
            f"{drivers}/virtio_mmio.ko": module("virtio", "virtio_ring"),
            # Debian 13 compresses them.
            f"{drivers}/virtio_console.ko.xz": lzma.compress(module("virtio", "built-in")),
            f"{drivers}/virtio_net.ko": module("virtio"),
        },
        {},
    )


def test_a_userland_has_merged_folders_the_modules_in_their_order(tmp_path, kernel_deb):
    libc = make_deb(
        tmp_path,
        "libc6",
        {
            "lib/aarch64-linux-gnu/libc.so.6": b"libc",
            "usr/lib/python3.11/lib-dynload/_ssl.cpython-311-aarch64-linux-gnu.so": b"no",
            "usr/share/doc/libc6/changelog": b"no",
        },
        {"lib/ld-linux-aarch64.so.1": "aarch64-linux-gnu/ld-linux-aarch64.so.1"},
    )
    path = tmp_path / "userland.cpio"
    write_userland(path, "3.11", [libc], kernel_deb, [])
    entries = {entry.path: entry for entry in read_entries(path.read_bytes())}
    assert entries["usr/lib/aarch64-linux-gnu/libc.so.6"].content == b"libc"
    assert entries["usr/lib/ld-linux-aarch64.so.1"].mode == stat.S_IFLNK | 0o777
    assert entries["lib"].content == b"usr/lib"
    assert entries["usr/bin/python3"].content == b"python3.11"
    assert not any("ssl" in name or "share" in name for name in entries)
    order = ["virtio_ring.ko", "virtio.ko", "virtio_mmio.ko", "virtio_console.ko"]
    assert entries["modules/order"].content.decode().split() == order
    assert entries["modules/virtio_console.ko"].content == module("virtio", "built-in")


def test_the_kernel_is_taken_out_of_its_package(kernel_deb):
    assert read_kernel(kernel_deb) == b"kernel"


def test_a_damaged_package_is_named_with_what_to_do(kernel_deb):
    kernel_deb.write_bytes(kernel_deb.read_bytes()[:200])
    with pytest.raises(DeviceError, match=r"linux-image-6.1-cloud-arm64.deb .* board clean"):
        read_kernel(kernel_deb)


def test_modules_come_after_what_they_need_and_each_once():
    modules = {"a": module("b", "c"), "b": module("c"), "c": module(), "d": module()}
    assert load_order(modules, ["a", "b"]) == ["c", "b", "a"]


def test_of_a_wheel_tests_headers_and_libraries_for_c_are_left_out(tmp_path):
    wheel = tmp_path / "numpy-2.4.6-cp311-cp311-manylinux_2_27_aarch64.whl"
    kept = ["numpy/__init__.py", "numpy/testing/__init__.py", "onnxruntime/capi/state.so"]
    left = ["numpy/tests/test_x.py", "numpy/lib/tests/test_y.py", "numpy/__init__.pyi"]
    left += ["onnxruntime/capi/libonnxruntime.so.1.31.1", "numpy/f2py/f2py2e.py"]
    with zipfile.ZipFile(wheel, "w") as content:
        for name in kept + left:
            content.writestr(name, "x")
    stream = io.BytesIO()
    with Archive(stream) as archive:
        add_wheels(archive, [wheel], "packages")
    files = [e.path for e in read_entries(stream.getvalue()) if stat.S_ISREG(e.mode)]
    assert files == [f"packages/{name}" for name in kept]
    assert wheel_version(wheel) == ("numpy", "2.4.6")


@pytest.mark.parametrize(
    "name",
    [
        *("python3.11-minimal", "python3.13-minimal", "libpython3.13-stdlib", "libc6"),
        *("libexpat1", "libuuid1", "libuuid1t64", "libffi8", "libffi9", "busybox-static"),
    ],
)
def test_packages_of_debian_12_and_13_are_known_by_their_patterns(name):
    assert any(re.fullmatch(pattern, name) for pattern in USERLAND_PACKAGES)


@pytest.mark.parametrize("name", ["libssl3", "python3-minimal", "dpkg", "libc6-dev", "udev"])
def test_packages_for_installations_on_a_disk_are_not_taken(name):
    assert not any(re.fullmatch(pattern, name) for pattern in USERLAND_PACKAGES)


def test_the_kernel_package_is_the_one_with_a_version_in_its_name():
    assert re.fullmatch(KERNEL_PACKAGE, "linux-image-6.12.48+deb13-cloud-arm64")
    assert not re.fullmatch(KERNEL_PACKAGE, "linux-image-cloud-arm64")


def test_sources_without_arm64_packages_are_one_message_with_the_line_that_helps(
    tmp_path, monkeypatch
):
    settings = tmp_path / "apt.conf"
    settings.write_text('Dir::Etc::SourceList "/dev/null";\nDir::Etc::SourceParts "/dev/null";\n')
    monkeypatch.setenv("APT_CONFIG", str(settings))
    apt = Apt(tmp_path / "apt")
    with pytest.raises(UsageError, match=r"no arm64 packages .*scp -r DEBIAN:.cache/edgekit"):
        apt.resolve()


def test_a_host_without_apt_is_told_where_a_board_can_be_built(tmp_path, monkeypatch):
    (tmp_path / "dpkg-deb").symlink_to(shutil.which("dpkg-deb"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"needs apt-get \(package apt\).*Debian 12 or 13"):
        check_tools()
