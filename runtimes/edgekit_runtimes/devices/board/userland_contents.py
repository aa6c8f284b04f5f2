"""What a board's userland is made of: Debian's own packages and wheels from the package index."""

from __future__ import annotations

from collections.abc import Mapping

# Raised where a userland built by an older edgekit is no longer enough.
RECIPE_VERSION = 1

ARCHITECTURE = "arm64"

# What apt is asked to resolve. Names with a version in them come out of that, so that one list
# serves Debian 12 (Python 3.11) and 13 (3.13).
ROOT_PACKAGES = (
    "python3-minimal",
    "libpython3-stdlib",
    "libstdc++6",
    "busybox-static",
    "linux-image-cloud-arm64",
)
# What is taken of the packages that apt names: Python, the libraries that its modules and the
# engines are linked with, a shell, and the kernel. The rest serves installations on a disk.
KERNEL_PACKAGE = r"linux-image-\d.*-cloud-arm64"
PYTHON_PACKAGE = r"python(3\.\d+)-minimal"
USERLAND_PACKAGES = (
    PYTHON_PACKAGE,
    r"libpython3\.\d+-(minimal|stdlib)",
    r"libc6|libgcc-s1|libstdc\+\+6|zlib1g|libffi\d+|libuuid1(t64)?",
    r"libexpat1(t64)?|libbz2-1\.0|liblzma5(t64)?",
    r"busybox-static",
)

# Of those packages, what no worker needs. libssl is not taken: Python has its own code for hashes
# and random numbers, and there is no network.
UNWANTED_FILES = (
    r"usr/share/.*|etc/.*|usr/lib/binfmt\.d/.*",
    r"usr/lib/aarch64-linux-gnu/(gconv|audit|perl)/.*",
    r"usr/lib/python3[^/]*/(idlelib|tkinter|lib2to3|ensurepip|pydoc_data|distutils|test)/.*",
    r"usr/lib/python3[^/]*/(turtledemo|config-[^/]*)/.*",
    r".*/lib-dynload/_(ssl|hashlib|sqlite3|curses|curses_panel|dbm|tkinter)\.[^/]*",
    r".*/lib-dynload/(readline|nis)\.[^/]*",
)

# The console of the guest's events, and what carries it. Each brings along what it depends on.
KERNEL_MODULES = ("virtio_mmio", "virtio_console")

PACKAGES_FOLDER = "packages"
TFLITE_RUNTIME_FOLDER = "tflite-runtime"
# Folder in the guest -> the wheels in it. Wheels are taken without their dependencies: these are
# all that loading and running a model imports.
WHEELS: Mapping[str, tuple[str, ...]] = {
    PACKAGES_FOLDER: ("numpy", "ai-edge-litert", "onnxruntime", "flatbuffers"),
    TFLITE_RUNTIME_FOLDER: ("numpy<2", "tflite-runtime"),
}
# The last Python that tflite-runtime has wheels for.
NEWEST_TFLITE_RUNTIME_PYTHON = (3, 11)
# The glibc that wheels may need: Debian 12 has 2.36.
GLIBC_MINORS = (34, 31, 28, 27, 26, 24, 17)

UNWANTED_WHEEL_FILES = (
    r".*\.(pyi|pxd|pyx|h|c|hpp|a|lib|md|txt)",
    r"numpy/(f2py|distutils|typing/tests)/.*",
    r"numpy/(.*/)?tests/.*",
    r"onnxruntime/(transformers|quantization|tools|datasets|backend)/.*",
    # Python has the engine in its own module; this one is for programs in C.
    r"onnxruntime/capi/libonnxruntime\.so.*",
    r"ai_edge_litert/libLiteRtWebGpuAccelerator\.so",
    r"ai_edge_litert/(aot|tools)/.*",
)
