"""The formats: what an artifact of each is called, and what runs it.

Everything that asks what a format is asks here; formats.json holds the same for the pages.

    python -m edgekit_runtimes.formats        prints formats.json (make docs writes it)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class PageEngine:
    """An engine of a page.

    word: how jobs and results name it. title: how its authors name it.
    backends: where it computes; the first one is what it takes by default in a page.
    node_backends: the same under Node; empty where it only runs in a page.
    """

    word: str
    title: str
    backends: tuple[str, ...]
    node_backends: tuple[str, ...] = ()


@dataclass(frozen=True)
class Format:
    """A format of artifacts.

    name: its word. title: how its authors write it.
    suffix: of its files; "" for a format whose artifact is a folder.
    main_file: what identifies such a folder, and what an engine opens; "" for a file.
    media_types: what the files of an artifact are served as, by their suffixes.
    engines: its engines in Python with their modules by their words, the preferred one first.
    page_engines: its engines in a page, the preferred one first.
    """

    name: str
    title: str
    suffix: str
    main_file: str
    media_types: Mapping[str, str]
    engines: Mapping[str, str]
    page_engines: tuple[PageEngine, ...]

    @property
    def is_folder(self) -> bool:
        """Whether an artifact is a folder and not a file."""
        return not self.suffix

    def path(self, recipe: str) -> str:
        """Return the path of the artifact of a recipe in a bundle."""
        return f"{self.name}/{recipe}{self.suffix}"

    def opened(self, path: str) -> str:
        """Return what an engine of a page opens of the artifact at `path`."""
        return f"{path}/{self.main_file}" if self.is_folder else path


BINARY = "application/octet-stream"

# By name, in the order in which bundles and tables list them.
FORMATS: Mapping[str, Format] = {
    kind.name: kind
    for kind in (
        Format(
            name="tflite",
            title="TFLite",
            suffix=".tflite",
            main_file="",
            media_types={".tflite": BINARY},
            engines={
                "litert": "edgekit_runtimes.engines.litert",
                "tflite-runtime": "edgekit_runtimes.engines.tflite_runtime",
            },
            page_engines=(PageEngine("litertjs", "LiteRT.js", ("wasm", "webgpu")),),
        ),
        Format(
            name="tfjs",
            title="TF.js",
            suffix="",
            main_file="model.json",
            media_types={".json": "application/json", ".bin": BINARY},
            engines={},
            page_engines=(
                PageEngine("tfjs", "TF.js", ("webgl", "wasm", "webgpu", "cpu"), ("wasm", "cpu")),
            ),
        ),
        Format(
            name="onnx",
            title="ONNX",
            suffix=".onnx",
            main_file="",
            media_types={".onnx": BINARY},
            engines={"onnxruntime": "edgekit_runtimes.engines.onnxruntime"},
            page_engines=(PageEngine("ort-web", "onnxruntime-web", ("wasm", "webgpu", "webgl")),),
        ),
    )
}


def formats_json() -> str:
    """Return the text of formats.json: what the pages know of formats."""
    forms = {}
    for name, kind in FORMATS.items():
        forms[name] = asdict(kind)
        # Only Python needs these, and other distributions add to them.
        del forms[name]["engines"]
    return json.dumps(forms, indent=2) + "\n"


if __name__ == "__main__":
    print(formats_json(), end="")
