// A model whose tensors have their axes in another order than the bundle's, as
// edgekit_runtimes/reordered.py has it: every artifact gets the same sample.

import { EngineError } from '../../protocol/errors.ts';
import { sizeOf, type Tensor, type TensorSpec, type Tensors } from '../../protocol/tensors.ts';
import type { BoundModel, Model } from './engine.ts';

/** By the name of a tensor: axis k of the artifact's is axis axes[k] of the bundle's. */
export type Axes = Readonly<Record<string, readonly number[]>>;

/** Return the model as the bundle describes it: the same one where there is nothing to reorder. */
export function inBundleOrder(model: Model, axes: Axes | undefined): Model {
  return axes && Object.keys(axes).length > 0 ? new ReorderedModel(model, axes) : model;
}

/** Return the tensor with its axes in that order: axis k of the result is axis order[k] of it. */
export function reordered(tensor: Tensor, order: readonly number[]): Tensor {
  const shape = order.map((axis) => tensor.shape[axis]!);
  const steps = tensor.shape.map((_, axis) => sizeOf(tensor.shape.slice(axis + 1)));
  const data = tensor.data.slice();
  const index = order.map(() => 0);
  let from = 0;
  for (let to = 0; to < data.length; to += 1) {
    data[to] = tensor.data[from]!;
    for (let axis = order.length - 1; axis >= 0; axis -= 1) {
      index[axis]! += 1;
      from += steps[order[axis]!]!;
      if (index[axis]! < shape[axis]!) break;
      from -= shape[axis]! * steps[order[axis]!]!;
      index[axis] = 0;
    }
  }
  return { dtype: tensor.dtype, shape, data };
}

function inverse(order: readonly number[]): number[] {
  return order.map((_, axis) => order.indexOf(axis));
}

class ReorderedModel implements Model {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly #model: Model;
  readonly #axes: Axes;
  readonly #back: Axes;

  constructor(model: Model, axes: Axes) {
    this.#model = model;
    this.#axes = axes;
    this.#back = Object.fromEntries(
      Object.entries(axes).map(([name, order]) => [name, inverse(order)]),
    );
    this.inputs = model.inputs.map((spec) => this.#spec(spec));
    this.outputs = model.outputs.map((spec) => this.#spec(spec));
  }

  async run(inputs: Tensors): Promise<Tensors> {
    return all(await this.#model.run(all(inputs, this.#axes)), this.#back);
  }

  async bind(inputs: Tensors): Promise<BoundModel> {
    // What is timed gives the artifact's own order: nothing is reordered in it.
    return this.#model.bind(all(inputs, this.#axes));
  }

  dispose(): void {
    this.#model.dispose();
  }

  #spec(spec: TensorSpec): TensorSpec {
    const back = this.#back[spec.name];
    if (!back) return spec;
    if (back.length !== spec.shape.length || back.includes(-1)) {
      throw new EngineError(`Axes [${this.#axes[spec.name]}] do not fit ${spec.name}.`);
    }
    return { ...spec, shape: back.map((axis) => spec.shape[axis]!) };
  }
}

function all(tensors: Tensors, axes: Axes): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => {
      const order = axes[name];
      return [name, order ? reordered(tensor, order) : tensor];
    }),
  );
}
