// A loaded model, the same for every runtime: each brings only what it does with its own tensors.

import { type Explain, firstLine, mapErrors } from '../../protocol/errors.ts';
import type { Tensor, TensorSpec, Tensors } from '../../protocol/tensors.ts';
import type { BoundModel, Model } from './engine.ts';
import { inputFor } from './inputs.ts';
import type { Loss } from './loss.ts';

/** A model in a runtime, whose tensors are of type T. Everything here may throw anything. */
export interface Runtime<T> {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];

  /** Return the runtime's tensor of these numbers. */
  upload(tensor: Tensor): T;

  /** Run the model; return its outputs by name. */
  execute(feeds: Record<string, T>): Promise<Record<string, T>>;

  /** Return the numbers of an output. */
  read(output: T): Promise<Tensor>;

  /** Give back what a tensor holds. */
  free(tensor: T): void;

  /** Give back what the model holds. */
  dispose(): void;
}

/** A model that throws only EngineError: `failure`, a colon and what `explain` makes of the cause. */
export class RuntimeModel<T> implements Model {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly #runtime: Runtime<T>;
  readonly #loss: Loss;
  readonly #failure: string;
  readonly #explain: Explain;
  #feeds: Record<string, T> = {};

  constructor(runtime: Runtime<T>, loss: Loss, failure: string, explain: Explain = firstLine) {
    this.inputs = runtime.inputs;
    this.outputs = runtime.outputs;
    this.#runtime = runtime;
    this.#loss = loss;
    this.#failure = failure;
    this.#explain = explain;
  }

  async run(inputs: Tensors): Promise<Tensors> {
    const bound = await this.bind(inputs);
    const outputs = await bound.run();
    bound.release();
    return outputs;
  }

  async bind(inputs: Tensors): Promise<BoundModel> {
    const { execute, read, free } = this.#runtime;
    await this.#mapped(async () => this.#feed(inputs));
    const feeds = this.#feeds;
    let outputs: Record<string, T> = {};
    const work = async () => {
      outputs = await execute(feeds);
      const names = Object.keys(outputs);
      const tensors = await Promise.all(names.map((name) => read(outputs[name]!)));
      return Object.fromEntries(names.map((name, index) => [name, tensors[index]!]));
    };
    return {
      run: () => this.#mapped(() => this.#loss.guard(work)),
      release: () => {
        for (const output of Object.values(outputs)) free(output);
        outputs = {};
      },
    };
  }

  dispose(): void {
    this.#freeFeeds();
    this.#runtime.dispose();
  }

  #mapped<R>(work: () => Promise<R>): Promise<R> {
    return mapErrors(this.#failure, work, this.#explain);
  }

  #feed(inputs: Tensors): void {
    this.#freeFeeds();
    this.#feeds = Object.fromEntries(
      this.inputs.map((spec) => [spec.name, this.#runtime.upload(inputFor(spec, inputs))]),
    );
  }

  #freeFeeds(): void {
    for (const feed of Object.values(this.#feeds)) this.#runtime.free(feed);
    this.#feeds = {};
  }
}
