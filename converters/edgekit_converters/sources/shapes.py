"""Input shapes: what the model says, and what the user adds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edgekit_runtimes.errors import UsageError
from edgekit_runtimes.tensors import TensorSpec


def resolve_shapes(
    path: Path, specs: tuple[TensorSpec, ...], input_shapes: Mapping[str, tuple[int, ...]]
) -> tuple[TensorSpec, ...]:
    """Return `specs` with the sizes that the user gave filled in.

    A free batch axis stays free. Raises UsageError where a size other than the batch is still
    open, a name is not an input, or a given shape contradicts the model's.
    """
    names = [spec.name for spec in specs]
    for name in input_shapes:
        if name not in names:
            raise UsageError(
                f"--input-shape names '{name}', which is not an input of {path}. "
                f"Its inputs: {', '.join(names)}."
            )
    resolved = []
    for spec in specs:
        if spec.dtype in ("str", "string", "object", "bytes"):
            raise UsageError(
                f"Input '{spec.name}' of {path} takes strings, which no edge format does. "
                "Export the model without its text or decoding layers and feed it numbers."
            )
        shape = spec.shape
        given = input_shapes.get(spec.name)
        if given is not None:
            fits = len(given) == len(shape) and all(
                size in (None, wanted) or (axis == 0 and wanted == 1)
                for axis, (size, wanted) in enumerate(zip(shape, given, strict=True))
            )
            if not fits:
                raise UsageError(
                    f"--input-shape {spec.name}={','.join(map(str, given))} does not fit "
                    f"{spec} of {path}."
                )
            shape = (shape[0], *given[1:])
        if None in shape[1:]:
            example = ",".join(str(size or (224 if axis else 1)) for axis, size in enumerate(shape))
            raise UsageError(
                f"Input {spec} of {path} has an open size besides the batch. "
                f"Say which: --input-shape {spec.name}={example}"
            )
        resolved.append(TensorSpec(spec.name, shape, spec.dtype))
    return tuple(resolved)
