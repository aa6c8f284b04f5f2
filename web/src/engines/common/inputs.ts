// Checks that inputs fit a model before a runtime sees them: each would fail in its own way.

import { EngineError } from '../../protocol/errors.ts';
import type { Tensor, TensorSpec, Tensors } from '../../protocol/tensors.ts';

/** Return the tensor for an input. Throws EngineError if there is none or it does not fit. */
export function inputFor(spec: TensorSpec, inputs: Tensors): Tensor {
  const input = inputs[spec.name];
  if (!input) throw new EngineError(`The model's input '${spec.name}' is missing.`);
  const fits =
    input.dtype === spec.dtype &&
    input.shape.length === spec.shape.length &&
    input.shape.every((size, axis) => spec.shape[axis] === null || spec.shape[axis] === size) &&
    input.shape.reduce((product, size) => product * size, 1) === input.data.length;
  if (fits) return input;
  const given = `${input.dtype}[${input.shape.join(', ')}] of ${input.data.length} values`;
  throw new EngineError(`The model takes ${specText(spec)}, and was given ${given}.`);
}

/** Return "image: float32[?, 28, 28, 1]". */
export function specText({ name, dtype, shape }: TensorSpec): string {
  return `${name}: ${dtype}[${shape.map((size) => size ?? '?').join(', ')}]`;
}
