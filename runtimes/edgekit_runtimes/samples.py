"""The samples of a job: .npy files, read one sample at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edgekit_runtimes.errors import DataError, EngineError, map_exceptions
from edgekit_runtimes.tensors import Array, Arrays, Preprocessing, TensorSpec, pick_sample


class Samples:
    """Arrays with the samples along the first axis, left on the disk.

    Raises DataError if a file cannot be read or the arrays hold no or unequal numbers of
    samples.
    """

    def __init__(self, paths: Mapping[str, str], preprocessing: Preprocessing) -> None:
        self._preprocessing = preprocessing
        self._arrays = {name: _open(name, Path(path)) for name, path in paths.items()}
        counts = {name: len(array) for name, array in self._arrays.items()}
        if len(set(counts.values())) != 1 or 0 in counts.values():
            raise DataError(
                f"The inputs need the same number of samples, at least one; they have: {counts}."
            )
        self.count = next(iter(counts.values()))

    def names_for(self, inputs: Sequence[TensorSpec]) -> dict[str, str]:
        """Return which array each input of a model takes: the one of its name.

        One single array fits the single input of a model whatever their names are. Raises
        EngineError if an input has no array.
        """
        wanted = [spec.name for spec in inputs]
        if len(wanted) == 1 and len(self._arrays) == 1:
            return {wanted[0]: next(iter(self._arrays))}
        if not set(wanted) <= set(self._arrays):
            raise EngineError(
                f"The model's inputs are named {', '.join(wanted)}, "
                f"and the data {', '.join(self._arrays)}."
            )
        return {name: name for name in wanted}

    def pick(
        self,
        index: int,
        inputs: Sequence[TensorSpec],
        names: Mapping[str, str],
        batched: bool,
    ) -> Arrays:
        """Return sample number `index` for a model, preprocessed, in the dtypes that it takes.

        An integer input that represents real numbers gets float32: the engine quantizes it.
        Raises DataError if the values do not fit.
        """
        stored = {name: self._arrays[name] for name in names.values()}
        sample = pick_sample(stored, index, batched)
        return {spec.name: self._fit(sample[names[spec.name]], spec, names) for spec in inputs}

    def _fit(self, array: Array, spec: TensorSpec, names: Mapping[str, str]) -> Array:
        name = names[spec.name]
        if len(array.shape) != len(spec.shape) or any(
            wanted not in (None, size)
            for wanted, size in zip(spec.shape, array.shape, strict=False)
        ):
            sizes = ", ".join(map(str, array.shape))
            raise DataError(f"The model takes {spec}, and a sample of '{name}' is [{sizes}].")
        dtype = "float32" if spec.quantization else spec.dtype
        ready = self._preprocessing.apply(array, dtype, name)
        return np.array(ready) if ready is array else ready


def _open(name: str, path: Path) -> Array:
    with map_exceptions(f"The data of input '{name}' cannot be read from {path}", DataError):
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.ndim == 0:
        raise DataError(f"The data of input '{name}' in {path} is a single number, not samples.")
    # Still mapped; but a plain array is cut into samples five times faster than a memmap.
    return array.view(np.ndarray)
