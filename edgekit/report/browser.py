"""What a page was measured on, in the few words of a heading."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from typing import Any

from edgekit_runtimes.devices.browser.backends import BACKENDS

# As ANGLE names what it draws with: vendor, renderer, version of its interface.
ANGLE = re.compile(r"ANGLE \((?P<vendor>[^,]*), (?P<renderer>.*), [^,]*\)")
# Their names are in the middle of longer ones.
SOFTWARE_RENDERERS = re.compile(r"llvmpipe|softpipe|SwiftShader", re.IGNORECASE)
SOFTWARE_LABEL = "software renderer"

# Where they compute, the CPU is the one fact that counts.
CPU_BACKENDS = ("wasm", "cpu")
# Back end -> the fact that says what draws for it.
DRAWN_BY = {"webgl": "renderer", "webgpu": "webgpu"}


def browser_facts(environment: Mapping[str, Any], backends: Set[str]) -> Iterator[str]:
    """Yield the browser, and what its page computed on, as "llvmpipe (software renderer)".

    backends: those that the rows of this device have.
    """
    yield re.sub(r"(\d+)\.[\d.]+", r"\1", environment["browser"])
    for backend in DRAWN_BY:
        if backend in backends and (text := environment.get(DRAWN_BY[backend])):
            is_software = _is_software(environment, backend)
            name = renderer_name(text)
            yield f"{name} ({SOFTWARE_LABEL})" if is_software else name
    if environment.get("cpu") and not backends.isdisjoint(CPU_BACKENDS):
        yield environment["cpu"]


def software_note(environment: Mapping[str, Any], backends: Set[str]) -> str | None:
    """Return the line that warns of a software renderer, None if nothing was drawn by one."""
    drawn = [
        BACKENDS[backend]
        for backend in DRAWN_BY
        if backend in backends and _is_software(environment, backend)
    ]
    if not drawn:
        return None
    return (
        f"{SOFTWARE_LABEL}: {' and '.join(drawn)} ran on the CPU, so these times say nothing about "
        "a GPU"
    )


def _is_software(environment: Mapping[str, Any], backend: str) -> bool:
    """Return whether what draws for a back end is software, by its name or by the page's word.

    The page's word is about the first job, which may have been of other back ends.
    """
    name = environment.get(DRAWN_BY[backend]) or ""
    return bool(SOFTWARE_RENDERERS.search(name) or environment.get("software_renderer"))


def renderer_name(text: str) -> str:
    """Return the short name of a renderer.

    Example:
        >>> renderer_name("ANGLE (Mesa, llvmpipe (LLVM 19.1.7, 256 bits), OpenGL ES 3.2)")
        'llvmpipe'
        >>> renderer_name("ANGLE (Intel, Mesa Intel(R) UHD Graphics 620 (KBL GT2), OpenGL 4.6)")
        'Mesa Intel(R) UHD Graphics 620'
    """
    if software := SOFTWARE_RENDERERS.search(text):
        return software[0]
    match = ANGLE.fullmatch(text)
    return re.split(r" \(| 0x|,", match["renderer"] if match else text)[0]
