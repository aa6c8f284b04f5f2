"""Engines: the interpreters that run artifacts, one module each.

An engine module imports its interpreter only inside its functions, so that importing the module
costs nothing and says what it needs. Engines may live elsewhere: a job names the module
(`edgekit_converters.original` runs the original in TensorFlow). registry.py has those that run
artifacts.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from edgekit_runtimes.errors import EngineError, map_exceptions

if TYPE_CHECKING:
    from edgekit_runtimes.execution import Execution
    from edgekit_runtimes.tensors import Arrays, TensorSpec


class Model(Protocol):
    """A loaded artifact. Inputs and outputs are identified by name, never by position."""

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What the model takes."""

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What the model gives."""

    def run(self, inputs: Arrays) -> Arrays:
        """Return the outputs for one sample, as real numbers.

        Floats for an integer input with a scale are quantized first; integer outputs with a scale
        come back as float32. Raises EngineError.
        """

    def bind(self, inputs: Arrays) -> Callable[[], object]:
        """Set the inputs of one sample and return a function that runs the model on them.

        That function invokes the model and reads every output back, as the engine gives it. It
        does nothing else: it is what is timed. It stays valid until the next `run` or `bind`.
        Raises EngineError; the function raises what the engine raises.
        """


@runtime_checkable
class TellingModel(Model, Protocol):
    """A model whose engine says how it runs it."""

    def execution(self) -> Execution | None:
        """Return how the model is run, once it has run; None if the engine does not say now.

        It may cost as much as loading, so it is asked for after everything that is measured.
        """


class Engine(Protocol):
    """What an engine module offers.

    NAME: how results name it ("litert").
    PACKAGE: the distribution that provides it, for `pip install`.
    IMPORT_NAME: the module that it runs on, imported before a load is timed. Its first part shows
    whether it is installed.
    FORMAT: the format of the artifacts it runs.
    INSTALL (optional): what to do to get it, if `pip install PACKAGE` is not enough.
    """

    NAME: str
    PACKAGE: str
    IMPORT_NAME: str
    FORMAT: str

    def version(self) -> str:
        """Return the version of the distribution."""

    def load(self, path: Path, options: Mapping[str, Any]) -> Model:
        """Return the model, ready to run. Raises EngineError."""


def root_module(engine: Engine) -> str:
    """Return the package whose presence shows that an engine is installed."""
    return engine.IMPORT_NAME.split(".")[0]


def install_line(engine: Engine) -> str:
    """Return what a user types to install an engine."""
    return str(getattr(engine, "INSTALL", f"pip install {engine.PACKAGE}"))


def load_engine(module: str) -> Engine:
    """Import the engine module of that name.

    Raises EngineError if it cannot be imported.
    """
    with map_exceptions(f"The engine {module} cannot be imported", EngineError):
        return cast(Engine, importlib.import_module(module))
