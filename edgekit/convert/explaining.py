"""`convert --explain`: where an int8 artifact loses what it loses, and on which samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgekit.bundle.golden import GoldenSamples
from edgekit.bundle.manifest import ArtifactRecord
from edgekit.convert.answers import artifact_answers
from edgekit.results.damage import Damage, Flip, LayerDamage
from edgekit_converters.formats import RECIPES, FormatWriter
from edgekit_runtimes.devices import Device
from edgekit_runtimes.reordered import OPTION

if TYPE_CHECKING:
    from edgekit_converters.calibration import Calibration
    from edgekit_runtimes.tensors import Arrays


class Explainer:
    """Looks at int8 artifacts, layer by layer.

    golden: the samples, and the original's outputs for them. device: where artifacts are run.
    """

    def __init__(self, calibration: Calibration | None, golden: GoldenSamples, device: Device):
        self._calibration = calibration
        self._golden = golden
        self._device = device

    def damage(
        self,
        record: ArtifactRecord,
        quantization: str,
        path: Path,
        prepared: Any,
        writer: FormatWriter,
    ) -> Damage | None:
        """Return what the layers of an artifact lose, and the golden samples that it flipped.

        None for a recipe of which that cannot be said.
        """
        if self._calibration is None or not RECIPES[record.format][quantization].explained:
            return None
        calibration = self._calibration.reordered(record.engine_options.get(OPTION, {}))
        layers = writer.explain(prepared, quantization, path, calibration)
        found = artifact_answers(
            path, record.format, record.engine_options, self._golden, self._device
        )
        return Damage(
            tuple(
                LayerDamage(
                    one.name, one.kind, one.sqnr_db, one.in_float, one.float_bytes, one.float_time
                )
                for one in layers
            ),
            tuple(flips(self._golden.outputs, found)),
        )


def flips(expected: Arrays, found: Arrays) -> Iterator[Flip]:
    """Yield the samples whose first class differs, of outputs with one row of scores each."""
    for name, array in expected.items():
        if array.dtype.kind != "f" or array.ndim != 2 or array.shape[-1] < 2:
            continue
        first, second = array.argmax(axis=-1), found[name].argmax(axis=-1)
        for sample in np.flatnonzero(first != second):
            yield Flip(int(sample), name, int(first[sample]), int(second[sample]))
