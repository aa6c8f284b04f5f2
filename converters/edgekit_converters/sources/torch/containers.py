"""A .pt2 file as a container: an archive that holds no more than it declares, and no code.

torch.export.load runs code of a file in more ways than pickled samples and weights, which
TORCH_FORCE_WEIGHTS_ONLY_LOAD=1 stops (original.py): it unpickles constants that are no tensors,
loads what AOTInductor compiled, lets SymPy evaluate sizes as Python, imports the module of a
defaultdict's or enum's class, and calls whatever function a node names. The tests have a file for
each, tried with torch 2.13.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edgekit_runtimes.errors import SourceError, first_line

# torch.export stores members as they are; what declares more than both of these was compressed by
# hand, and is not unpacked: deflate gets a thousand times as much out of nothing.
MOST_EXPANSION = 20
MOST_BYTES = 100_000_000
FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)

# Members whose names begin so are shared libraries, or pickles that torch reads whole.
CODE_MEMBERS = ("data/aotinductor/", "data/constants/custom_obj_", "data/constants/opaque_obj_")
CODE_OBJECTS = ("custom_obj_", "opaque_obj_")
CODE_CLASSES = ("default_factory_module", "__enum__")

# What a program may call: torch resolves "torch.os.system" as gladly as these, and "operator" has
# `call` and `attrgetter`.
OPERATOR = re.compile(
    r"torch\.ops\.(?:aten|prim|prims|quantized_decomposed|torchvision)(?:\.\w+){1,2}"
    r"|torch\.ops\.higher_order\.(?:cond|while_loop|scan|map_impl|associative_scan"
    r"|wrap_with_set_grad_enabled|wrap_with_autocast)"
    r"|_operator\.(?:add|sub|mul|floordiv|truediv|mod|pow|neg|eq|ne|lt|le|gt|ge|and_|or_|not_"
    r"|getitem)"
    r"|math\.(?:ceil|floor|trunc|sqrt|pow|log|log2|exp)|torch\.sym_\w+|torch\._sym_\w+"
    r"|torch\.utils\._sympy\.functions\.\w+"
)
# It opens, and with shared=True writes, any file.
FILE_OPERATOR = "from_file"

# A size as torch writes it: Add(Symbol('s77', positive=True, integer=True), Integer(1)),
# or Float('1.5', precision=53).
ATOM = re.compile(r"(?:Symbol|Float)\('[\w.+-]+'(?:, \w+=(?:True|False|\d+))*\)")
SIZE = re.compile(r"[\w\s+*/%(),<>=!&|~.-]*")
SIZE_WORD = re.compile(r"[a-z_]+\d+|[A-Z]\w*|(?:int_)?oo")


def check_container(path: Path) -> None:
    """Raise SourceError where a file is no archive, is damaged, would fill memory or run code."""
    try:
        with zipfile.ZipFile(path) as archive:
            declared = sum(member.file_size for member in archive.infolist())
            if declared > max(MOST_BYTES, MOST_EXPANSION * path.stat().st_size):
                raise SourceError(
                    f"{path} has {path.stat().st_size / 1e6:,.1f} MB and declares "
                    f"{declared / 1e9:,.1f} GB: it is not unpacked. Get the file again."
                )
            damaged = archive.testzip()
            code = next(_code_in(archive), None) if damaged is None else None
    except FAULTS as error:
        raise SourceError(
            f"{path} is not a .pt2 file, is damaged or cut off: {first_line(error)}. Get it again."
        ) from error
    if damaged:
        raise SourceError(
            f"{path} is damaged: its member '{damaged}' does not match its checksum. Get it again."
        )
    if code:
        raise SourceError(
            f"{path} could not be read as a .pt2 file: it holds {code}, which would run code. Get "
            "it from whom you trust."
        )


def _code_in(archive: zipfile.ZipFile) -> Iterator[str]:
    """Return what in an archive torch would run while it reads or computes."""
    names = archive.namelist()
    if len(set(names)) < len(names):
        # torch and Python's zipfile may read different ones.
        yield "two members of one name"
    for full in names:
        # The first folder is named after the file.
        _, has_folder, name = full.partition("/")
        if not has_folder:
            # torch falls back to its older format, which holds pickles.
            yield f"'{full}' outside of its folder"
        if name.startswith(CODE_MEMBERS):
            yield f"'{name}'"
        if name.endswith(".json") and not name.startswith("extra/"):
            yield from _code_of(json.loads(archive.read(full)))


def _code_of(document: Any) -> Iterator[str]:
    left = [document]
    while left:
        one = left.pop()
        if isinstance(one, list):
            left += one
        elif isinstance(one, str):
            if any(word in one for word in CODE_CLASSES):
                yield "values of a class of its own"
        elif isinstance(one, Mapping):
            left += one.values()
            if str(one.get("path_name", "")).startswith(CODE_OBJECTS):
                yield f"'{one['path_name']}'"
            if "expr_str" in one and not is_size(str(one["expr_str"])):
                yield f"the size '{one['expr_str']}'"
            if "target" in one and "inputs" in one and not is_operator(str(one["target"])):
                yield f"the operator '{one['target']}'"


def is_size(text: str) -> bool:
    """Whether a text is a size and nothing else: SymPy evaluates it as Python."""
    plain = ATOM.sub("s0", text)
    return (
        SIZE.fullmatch(plain) is not None
        and re.search(r"__|\.\s*[A-Za-z_]", plain) is None
        and all(SIZE_WORD.fullmatch(word) for word in re.findall(r"[A-Za-z_]\w*", plain))
    )


def is_operator(target: str) -> bool:
    """Whether a node calls an operator of torch, which only computes."""
    return (
        OPERATOR.fullmatch(target) is not None
        and "__" not in target
        and FILE_OPERATOR not in target
    )
