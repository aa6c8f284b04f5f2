"""What a format declares: which quantizations it has, what writes each, and what a user gets.

A declaration imports nothing heavy, so that grammar, help and documents are made from it; what
writes is named by a string and imported when it is used.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from edgekit_runtimes.errors import NotAvailableError, UsageError


@dataclass(frozen=True)
class FormatRecipe:
    """One quantization of one format.

    writer: "module:function". What it takes and returns is up to the format.
    consequence: what is done, and what it buys and costs, for --help and the documents.
    instead: the quantizations to try where its fidelity is low, the smallest first.
    needs_calibration: whether samples must show it the ranges of activations.
    explained: whether --explain can say what each layer loses.
    integer_io: whether --io int8 gives it integer inputs and outputs.
    grid: the largest integer of a weight, by the operators of the frozen graph whose kernels get
        one symmetric scale for each output channel, its largest weight over this; empty where
        kernels are stored otherwise.
    engine_options: what the artifact's engine must be started with.
    """

    writer: str
    consequence: str
    instead: tuple[str, ...] = ("int8-weights", "fp16")
    needs_calibration: bool = False
    integer_io: bool = False
    explained: bool = False
    grid: Mapping[str, int] = field(default_factory=dict)
    engine_options: Mapping[str, Any] = field(default_factory=dict)


class Recipes(Mapping[str, FormatRecipe]):
    """The quantizations that a format has, by name, and why it does not have the others.

    What is not listed is refused: nothing is ever written under another one's name.
    keeps_source_axes: whether inputs and outputs keep the order of axes that the source has.
    """

    def __init__(
        self,
        title: str,
        made: Mapping[str, FormatRecipe],
        reasons: Mapping[str, str],
        keeps_source_axes: bool = False,
    ) -> None:
        self.title = title
        self.keeps_source_axes = keeps_source_axes
        self._made = made
        self._reasons = reasons

    def __getitem__(self, quantization: str) -> FormatRecipe:
        return self._made[quantization]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

    def why_not(self, quantization: str) -> str:
        """Return the reason why the format does not have a quantization."""
        known = f"{self.title} does not have {quantization}: it has {', '.join(self)}"
        return self._reasons.get(quantization, known)

    def find(self, quantization: str) -> FormatRecipe:
        """Return how the format makes a quantization. Raises NotAvailableError with the reason."""
        if quantization not in self:
            raise NotAvailableError(self.why_not(quantization))
        return self[quantization]

    def writer(self, quantization: str, calibrated: bool, io: str = "float") -> Callable[..., Any]:
        """Import and return what writes a quantization.

        calibrated: whether there is calibration data. io: what inputs and outputs should be.
        Raises NotAvailableError if the format does not have the quantization, UsageError if it
        needs calibration data and none is given, or cannot have such inputs and outputs.
        """
        recipe = self.find(quantization)
        if recipe.needs_calibration and not calibrated:
            raise UsageError(f"{quantization} needs calibration data: --calibration DATA")
        if io != "float" and not recipe.integer_io:
            raise UsageError(
                f"--io {io} is not for {self.title} {quantization}, whose inputs and outputs are "
                "float. Leave it out."
            )
        writer: Callable[..., Any] = pkgutil.resolve_name(recipe.writer)
        return writer
