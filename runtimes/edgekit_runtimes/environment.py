"""What the machine is: the facts without which a measurement means nothing."""

from __future__ import annotations

import os
import platform
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np

# CPU features that decide which kernels run: ARM's and x86's vector and integer dot products.
FEATURES = (
    *("asimd", "asimdhp", "asimddp", "i8mm", "sve", "bf16"),
    *("sse4_1", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512_vnni"),
    *("avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16"),
)

_CPU_FREQUENCY_FOLDER = Path("/sys/devices/system/cpu/cpu0/cpufreq")


def describe_environment() -> dict[str, Any]:
    """Return the facts by name, ready for JSON; None if the machine does not say.

    memory_bytes: of the whole machine. logical_cores: those this process may use.
    frequency_khz: of the first core, now. clock_resolution_ns: of the clock that measures.
    """
    cpuinfo = _cpuinfo()
    return {
        "platform": platform.platform(),
        "system": platform.system(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cpu": _cpu_name(cpuinfo),
        "cpu_features": _features(cpuinfo),
        "logical_cores": len(os.sched_getaffinity(0)),
        "governor": governor(),
        "frequency_khz": frequency_khz(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "load_average": list(os.getloadavg()),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "clock_resolution_ns": round(time.get_clock_info("perf_counter").resolution * 1e9),
    }


def governor() -> str | None:
    """Return what sets the first core's frequency ("ondemand"), None if Linux does not say."""
    return _read(_CPU_FREQUENCY_FOLDER / "scaling_governor")


def frequency_khz() -> int | None:
    """Return the first core's frequency now, None if Linux does not say."""
    return _read_int(_CPU_FREQUENCY_FOLDER / "scaling_cur_freq")


def peak_memory_bytes() -> int:
    """Return the most memory (resident set) that this process has had.

    Linux carries ru_maxrss from a parent over to the program that it starts: a small worker
    under a big parent would show the parent's. VmHWM starts again.
    """
    for line in (_read(Path("/proc/self/status")) or "").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _cpuinfo() -> dict[str, str]:
    """Return the fields of /proc/cpuinfo; of the first core if cores differ."""
    fields: dict[str, str] = {}
    for line in (_read(Path("/proc/cpuinfo")) or "").splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    return fields


def _cpu_name(cpuinfo: dict[str, str]) -> str:
    # ARM names no model; a Raspberry Pi names the board ("Model"), others only part numbers.
    for field in ("model name", "Model"):
        if cpuinfo.get(field):
            return cpuinfo[field]
    if "CPU part" in cpuinfo:
        return f"ARM implementer {cpuinfo.get('CPU implementer')} part {cpuinfo['CPU part']}"
    return platform.processor() or platform.machine()


def _features(cpuinfo: dict[str, str]) -> list[str]:
    present = set(cpuinfo.get("flags", cpuinfo.get("Features", "")).split())
    return [feature for feature in FEATURES if feature in present]


def _read(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return None


def _read_int(path: Path) -> int | None:
    text = _read(path)
    return int(text) if text and text.isdigit() else None
