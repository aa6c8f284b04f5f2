"""JSON forms: types are their schema, and msgspec checks it where a form is read.

Frozen dataclasses are read and written as they are. Fields say more than their Python type by the
names below (`Count`, `Share`, …); docs/make_schemas.py writes the JSON Schemas from them.

Bundles and results may come from anyone: `FileKind.load` is the one way that their files are read,
and an error says in one sentence what is wrong with it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, TypeVar

import msgspec
from msgspec import Meta

from edgekit_runtimes.errors import ArtifactError

# What edgekit writes is ten levels deep. Python gives up at about a thousand.
MAX_DEPTH = 64

# What is counted fits into 64 bits; JSON's integers have no end, and floats and arrays do.
LARGEST_COUNT = 2**63 - 1

Count = Annotated[int, Meta(ge=0, le=LARGEST_COUNT)]
AtLeastOne = Annotated[int, Meta(ge=1, le=LARGEST_COUNT)]
NotNegative = Annotated[float, Meta(ge=0)]
OverZero = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]

Content = TypeVar("Content")
Form = dict[str, Any]

if TYPE_CHECKING:
    Level = float
    OpenForm = Mapping[str, Any]
else:

    class Level(float):
        """A number that may be infinite, which JSON cannot write as a number: "inf" or "-inf"."""

        SCHEMA: ClassVar[Form] = {"anyOf": [{"type": "number"}, {"enum": ["inf", "-inf"]}]}

        @classmethod
        def from_form(cls, form: Any) -> Level:
            """Return the number whose JSON form is given."""
            is_number = isinstance(form, int | float) and not isinstance(form, bool)
            if not is_number and form not in ("inf", "-inf"):
                raise ValueError("Expected a number, `inf` or `-inf`")
            try:
                return cls(form)
            except OverflowError:
                raise ValueError("Number out of range") from None

        def to_form(self) -> float | str:
            """Return the JSON form."""
            return float(self) if math.isfinite(self) else str(self)

    class OpenForm(dict):
        """An object that is kept as it came, whatever it holds, at most MAX_DEPTH deep.

        KNOWN: a TypedDict of the fields that are checked if they are present.
        """

        KNOWN: ClassVar[type | None] = None

        @classmethod
        def from_form(cls, form: Any) -> OpenForm:
            """Return the object. Raises ValueError if it is not one, or a known field is wrong."""
            if not isinstance(form, dict):
                raise ValueError("Expected `object`")
            if not _is_within(form, MAX_DEPTH):
                raise ValueError(f"Nested more than {MAX_DEPTH} deep")
            if cls.KNOWN:
                from_form(form, cls.KNOWN)
            return cls(form)


def keep_levels(value: object, *names: str) -> None:
    """Make these fields of a frozen dataclass levels: for its `__post_init__`."""
    for name in names:
        object.__setattr__(value, name, Level(getattr(value, name)))


def encode(value: Any, indent: int = 0) -> bytes:
    """Return a value as JSON text: on one line, or indented by this many blanks per level."""
    try:
        content = msgspec.json.encode(value, enc_hook=_to_form)
    except UnicodeEncodeError:
        # A file name that is not UTF-8, which no JSON can hold.
        form = msgspec.to_builtins(value, enc_hook=_to_form)
        content = json.dumps(form, ensure_ascii=False).encode("utf-8", "replace")
    return msgspec.json.format(content, indent=indent) if indent else content


def to_form(value: Any) -> Any:
    """Return the JSON form of a value: dictionaries, lists, texts and numbers."""
    return msgspec.json.decode(encode(value))


def from_form(form: Any, kind: type[Content]) -> Content:
    """Return the value whose JSON form is given. Raises ValueError naming the place at fault."""
    return msgspec.convert(form, kind, dec_hook=_from_form)


def fault_of(error: Exception) -> str:
    """Return what is wrong with a form, and where: "expected `int`, got `str` at rows[0].bytes"."""
    if isinstance(error, RecursionError):
        return f"nested more than {MAX_DEPTH} deep"
    text, *places = str(error).split(" - at ")
    text = text[:1].lower() + text[1:]
    # From the outside in; "$" is the whole.
    place = "".join(part.replace("`", "").removeprefix("$") for part in reversed(places))
    return f"{text} at {place.lstrip('.')}" if place else text


@dataclass(frozen=True)
class FileKind(Generic[Content]):
    """A kind of JSON file, which has versions.

    word: what it holds ("results"). what: what it is ("a results file").
    remedy: what to do about a file that is damaged.
    max_bytes: a larger file is not read. Opened, a file takes up to nine times its size in memory
    (`benchmarks/results_loading.py`).
    upgrades: what makes a form of one version one of the next, by the version that it takes.
    """

    kind: type[Content]
    word: str
    what: str
    remedy: str
    max_bytes: int
    version: int
    upgrades: Mapping[int, Callable[[Form], Form]]

    def load(self, path: Path) -> Content:
        """Return what a file of this or an older version holds.

        Raises ArtifactError if it cannot be read, is too large, nested too deeply, not such a
        file, damaged, or of a version that is not known.
        """
        content = self._read(path)
        try:
            return msgspec.json.decode(content, type=self.kind, dec_hook=_from_form)
        except (ValueError, RecursionError) as error:
            fault = error
        form, version = self._form_of_another_version(path, content, fault)
        try:
            while version != self.version:
                form = self.upgrades[version](form)
                version = form["schema"]
            return from_form(form, self.kind)
        except (ValueError, RecursionError) as error:
            raise self._damaged(path, error) from error
        except (KeyError, TypeError, AttributeError) as error:
            # Upgrades trust what a form says it is.
            raise ArtifactError(
                f"{path} is damaged: it is not a valid form of version {version}. {self.remedy}"
            ) from error

    def _form_of_another_version(
        self, path: Path, content: bytes, fault: Exception
    ) -> tuple[Form, int]:
        """Return a form that can be upgraded, and its version. Raises ArtifactError for others."""
        try:
            form = _decode_leniently(content)
        except RecursionError as error:
            raise self._damaged(path, error) from error
        except ValueError:
            form = None
        version = form.get("schema") if isinstance(form, dict) else None
        if type(version) is not int:
            raise ArtifactError(f"{path} is not {self.what}, or was cut off. {self.remedy}")
        if version == self.version:
            raise self._damaged(path, fault) from fault
        if version not in self.upgrades:
            known = " and ".join(map(str, (*self.upgrades, self.version)))
            raise ArtifactError(
                f"{path} has {self.word} schema {version} and this edgekit reads {known}. "
                f"Upgrade edgekit. Otherwise: {self.remedy}"
            )
        return form, version

    def _damaged(self, path: Path, fault: Exception) -> ArtifactError:
        return ArtifactError(f"{path} is damaged: {fault_of(fault)}. {self.remedy}")

    def _read(self, path: Path) -> bytes:
        try:
            if path.stat().st_size > self.max_bytes:
                raise ArtifactError(
                    f"{path} is larger than {self.max_bytes // 1_000_000} MB, as {self.what} never "
                    f"is. {self.remedy}"
                )
            return path.read_bytes()
        except OSError as error:
            raise ArtifactError(f"{path} cannot be read: {error.strerror}.") from error


def _decode_leniently(content: bytes) -> Any:
    """Return the form in a file that Python's json wrote, which knows NaN and broken characters."""
    try:
        return msgspec.json.decode(content)
    except ValueError:
        return json.loads(content)


def _from_form(kind: Any, form: Any) -> Any:
    return kind.from_form(form)


def _to_form(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value.to_form()


def _is_within(form: Any, depth: int) -> bool:
    """Return whether a form is at most `depth` levels deep."""
    inner = form.values() if isinstance(form, dict) else form if isinstance(form, list) else ()
    return depth > 0 and all(_is_within(value, depth - 1) for value in inner)
