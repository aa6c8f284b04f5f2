"""A model whose tensors have other names than the bundle's: loose artifacts have their own.

In a page web/src/engines/common/renamed.ts does this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from edgekit_runtimes.engines import Model, TellingModel
from edgekit_runtimes.tensors import Arrays

if TYPE_CHECKING:
    from edgekit_runtimes.execution import Execution

# The option of an artifact that has it.
OPTION = "names"

# "inputs" and "outputs": the bundle's names by the artifact's.
Names = Mapping[str, Mapping[str, str]]


def in_bundle_names(model: Model, names: Names | None) -> Model:
    """Return the model as the bundle names its tensors: the same one where it does so itself."""
    return RenamedModel(model, names) if names else model


class RenamedModel:
    """A model that takes and gives tensors by the bundle's names."""

    def __init__(self, model: Model, names: Names) -> None:
        self._model = model
        self._own = {ours: own for own, ours in names.get("inputs", {}).items()}
        self._ours = names.get("outputs", {})
        given = names.get("inputs", {})
        self.inputs = tuple(replace(s, name=given.get(s.name, s.name)) for s in model.inputs)
        self.outputs = tuple(replace(s, name=self._ours.get(s.name, s.name)) for s in model.outputs)

    def run(self, inputs: Arrays) -> Arrays:
        """Return the outputs for one sample."""
        return _named(self._model.run(_named(inputs, self._own)), self._ours)

    def bind(self, inputs: Arrays) -> Callable[[], object]:
        """Set the inputs and return what runs the model on them."""
        return self._model.bind(_named(inputs, self._own))

    def execution(self) -> Execution | None:
        """Return how the model is run, if its engine says."""
        return self._model.execution() if isinstance(self._model, TellingModel) else None


def _named(arrays: Arrays, names: Mapping[str, str]) -> Arrays:
    return {names.get(name, name): array for name, array in arrays.items()}
