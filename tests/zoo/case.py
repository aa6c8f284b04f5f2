"""What the zoo is made of: small nets, what they are fed, and how a row of a table says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import keras
import numpy as np

Arrays = Mapping[str, np.ndarray]

# Nets of one batch of this many are converted together; a net that is not right in company is
# converted by itself.
PLAIN = "plain"
# A loop fixes the batch of the whole net to 1.
LOOP = "loop"
# Whole models: their inputs, names and sizes are what is tested.
ALONE = ""

# Enough for calibration to see the ranges of small nets.
SAMPLES = 32
SEED = 14
# Patches along each side of a picture.
PATCHES = 4


@dataclass(frozen=True)
class Feed:
    """One input. shape: of one sample. kind: what its values look like.

    kind: "normal", "positive", "unit" (0 to 1), "image" (0 to 255), "open" (-.9 to .9), "bool",
    "signs" (-1, 0, 1), "counts" (1 to 4), "matrix" (well-conditioned), "picture" (0 to 255, in
    patches of colour), or the number of integers from 0 on.
    """

    shape: tuple[int | None, ...]
    kind: str | int = "normal"
    dtype: str = "float32"

    def __str__(self) -> str:
        sizes = "x".join(map(str, self.shape)) or "scalar"
        return sizes if self.dtype == "float32" else f"{sizes} {self.dtype}"

    def sample(self, count: int, seed: int) -> np.ndarray:
        """Return `count` samples."""
        make = np.random.default_rng([SEED, seed])
        shape = (count, *(size or 6 for size in self.shape))
        if isinstance(self.kind, int):
            return make.integers(0, self.kind, shape).astype(self.dtype)
        values = {
            "normal": lambda: make.standard_normal(shape),
            "positive": lambda: make.uniform(0.1, 4, shape),
            "unit": lambda: make.uniform(0, 1, shape),
            "image": lambda: make.uniform(0, 255, shape),
            "open": lambda: make.uniform(-0.9, 0.9, shape),
            "bool": lambda: make.integers(0, 2, shape),
            "signs": lambda: make.integers(-1, 2, shape),
            "counts": lambda: make.integers(1, 5, shape),
            "picture": lambda: _pictures(make, shape),
            "matrix": lambda: make.uniform(-0.3, 0.3, shape) + 2 * np.eye(shape[-1]),
        }[self.kind]()
        return np.asarray(values).astype(self.dtype)


def _pictures(make: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return images of patches with noise upon them.

    Of noise alone all images are the same to a net that ends in a mean over the image: its batch
    norms then blow up what rounding leaves between them.
    """
    count, height, width, channels = shape
    patches = make.uniform(0, 255, (count, PATCHES, PATCHES, channels))
    rows, columns = (np.arange(size) * PATCHES // size for size in (height, width))
    noise = make.normal(0, 20, shape)
    return np.clip(patches[:, rows][:, :, columns] + noise, 0, 255)


VECTOR = Feed((6,))
SERIES = Feed((12, 4))
IMAGE = Feed((8, 8, 3))
VOLUME = Feed((6, 6, 6, 2))
TOKENS = Feed((7,), 9, "int32")


@dataclass(frozen=True)
class Case:
    """One net. apply: takes KerasTensors, one per feed, and returns one or several of them.

    group: the table of docs/coverage.md. covers: names of keras.layers that it has.
    company: with which others it may be converted. model: a whole model instead of `apply`, which
    names its inputs itself; feeds are in their order.
    """

    group: str
    name: str
    feeds: tuple[Feed, ...]
    apply: Callable[..., Any] | None = None
    covers: frozenset[str] = frozenset()
    company: str = PLAIN
    model: Callable[[], keras.Model] | None = None
    input_shape: Mapping[str, tuple[int, ...]] | None = None

    @property
    def id(self) -> str:
        """Unique in the zoo."""
        return f"{self.group}: {self.name}"


def layer(name: str, *feeds: Feed, listed: bool = False, **options: Any) -> Case:
    """Return the case of one layer. listed: its inputs are one list."""
    kind = getattr(keras.layers, name)

    def apply(*tensors: Any) -> Any:
        made = kind(**{key: built(value) for key, value in options.items()})
        return made(list(tensors)) if listed else made(*tensors)

    return Case("", said(name, options), feeds or (VECTOR,), apply, frozenset({name}))


def layers_with(name: str, feed: Feed, base: Mapping[str, Any], *variants: Any) -> Iterator[Case]:
    """Yield a layer as it is, and once with each variant of its options."""
    for variant in ({}, *variants):
        one = layer(name, feed, **{**base, **variant})
        yield replace(one, name=said(name, variant))


def op(name: str, *feeds: Feed, listed: bool = False, **options: Any) -> Case:
    """Return the case of one function of keras.ops ("image.resize")."""
    function: Any = keras.ops
    for part in name.split("."):
        function = getattr(function, part)

    def apply(*tensors: Any) -> Any:
        return function(list(tensors), **options) if listed else function(*tensors, **options)

    return Case("", said(name, options), feeds or (VECTOR,), apply)


def net(name: str, *feeds: Feed, covers: Iterable[str] = ()) -> Callable[..., Case]:
    """Make a case of the function that follows."""

    def case_of(function: Callable[..., Any]) -> Case:
        return Case("", name, feeds or (VECTOR,), function, frozenset(covers))

    return case_of


def grouped(group: str, cases: Iterable[Case], company: str = PLAIN) -> list[Case]:
    """Return cases as those of one group."""
    return [replace(case, group=group, company=company) for case in cases]


def built(value: Any) -> Any:
    """Return an option; one that needs a new layer in each net is given as a `partial`."""
    return value() if isinstance(value, partial) else value


def said(name: str, options: Mapping[str, Any]) -> str:
    """Return a name with its options."""
    words = [name, *(f"{key}={_word(value)}" for key, value in options.items())]
    return " ".join(words)


def _word(value: Any) -> str:
    if isinstance(value, partial):
        return str(value.func.__name__)
    if isinstance(value, list | tuple):
        return f"({','.join(map(_word, value))})"
    if isinstance(value, np.ndarray):
        return "array"
    return str(getattr(value, "__name__", value)).replace("\n", " ")
