// The samples of a job: .npy files with the samples along the first axis.

import { fetchBytes } from '../engines/common/download.ts';
import { specText } from '../engines/common/inputs.ts';
import { DataError, EngineError, firstLine } from '../protocol/errors.ts';
import type { Preprocessing } from '../protocol/generated/job.ts';
import { readNpy } from '../protocol/npy.ts';
import {
  isDtype,
  preprocess,
  sizeOf,
  type Tensor,
  type TensorSpec,
  type Tensors,
} from '../protocol/tensors.ts';

/** Follows the same rules as Samples in edgekit_runtimes/samples.py. */
export class Samples {
  readonly count: number;
  readonly #arrays: ReadonlyMap<string, Tensor>;
  readonly #preprocessing: Preprocessing;

  /** Throws DataError unless all arrays hold the same number of samples, at least one. */
  constructor(arrays: ReadonlyMap<string, Tensor>, preprocessing: Preprocessing) {
    this.#arrays = arrays;
    this.#preprocessing = preprocessing;
    const counts = [...arrays].map(([name, { shape }]) => `${name}: ${shape[0] ?? 'a number'}`);
    this.count = [...arrays.values()][0]?.shape[0] ?? 0;
    if (this.count === 0 || [...arrays.values()].some(({ shape }) => shape[0] !== this.count)) {
      throw new DataError(
        `The inputs need the same number of samples, at least one; they have: ${counts.join(', ')}.`,
      );
    }
  }

  /** Fetch the .npy file of each input. Throws DataError. */
  static async fetch(
    urls: Readonly<Record<string, string>>,
    preprocessing: Preprocessing,
  ): Promise<Samples> {
    const arrays = new Map<string, Tensor>();
    for (const [name, url] of Object.entries(urls)) {
      try {
        arrays.set(name, readNpy(await fetchBytes(url)));
      } catch (error) {
        throw new DataError(`The data of input '${name}' cannot be read: ${firstLine(error)}`);
      }
    }
    return new Samples(arrays, preprocessing);
  }

  /**
   * Return which array each input of a model takes: the one with its name. A single array fits a
   * model's single input, whatever their names. Throws EngineError if an input has no array.
   */
  namesFor(inputs: readonly TensorSpec[]): ReadonlyMap<string, string> {
    const wanted = inputs.map(({ name }) => name);
    const given = [...this.#arrays.keys()];
    if (wanted.length === 1 && given.length === 1) return new Map([[wanted[0]!, given[0]!]]);
    if (!wanted.every((name) => this.#arrays.has(name))) {
      throw new EngineError(
        `The model's inputs are named ${wanted.join(', ')}, and the data ${given.join(', ')}.`,
      );
    }
    return new Map(wanted.map((name) => [name, name]));
  }

  /**
   * Return sample number `index` for a model, preprocessed, in the dtypes that it takes.
   * Throws DataError if the values do not fit.
   */
  pick(
    index: number,
    inputs: readonly TensorSpec[],
    names: ReadonlyMap<string, string>,
    batched: boolean,
  ): Tensors {
    return Object.fromEntries(
      inputs.map((spec) => {
        const name = names.get(spec.name) ?? spec.name;
        return [spec.name, this.#fit(this.#slice(name, index, batched), spec, name)];
      }),
    );
  }

  #slice(name: string, index: number, batched: boolean): Tensor {
    const { dtype, shape, data } = this.#arrays.get(name)!;
    const size = sizeOf(shape.slice(1));
    return {
      dtype,
      shape: batched ? [1, ...shape.slice(1)] : shape.slice(1),
      data: data.subarray(index * size, (index + 1) * size),
    };
  }

  #fit(sample: Tensor, spec: TensorSpec, name: string): Tensor {
    const { shape, dtype } = spec;
    const fits =
      sample.shape.length === shape.length &&
      shape.every((size, axis) => size === null || size === sample.shape[axis]);
    if (!fits) {
      const sizes = sample.shape.join(', ');
      throw new DataError(
        `The model takes ${specText(spec)}, and a sample of '${name}' is [${sizes}].`,
      );
    }
    if (!isDtype(dtype)) throw new DataError(`A page cannot give the model ${specText(spec)}.`);
    return preprocess(sample, this.#preprocessing, dtype, name);
  }
}
