// A loaded model, the same for every runtime.

import { type Explain, mapErrors } from '../../protocol/errors.ts';
import type { TensorSpec, Tensors } from '../../protocol/tensors.ts';
import type { BoundModel, Model } from './engine.ts';
import { inputFor } from './inputs.ts';
import type { Loss } from './loss.ts';
import type { NativeModel } from './runtime.ts';

/** A model that throws only EngineError: `failure`, a colon and what `explain` says. */
export class RuntimeModel<T> implements Model {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly #native: NativeModel<T>;
  readonly #loss: Loss;
  readonly #failure: string;
  readonly #explain: Explain | undefined;
  #feeds: Record<string, T> = {};

  constructor(native: NativeModel<T>, loss: Loss, failure: string, explain?: Explain) {
    this.inputs = native.inputs;
    this.outputs = native.outputs;
    this.#native = native;
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
    const { execute, read, free } = this.#native;
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
    this.#native.dispose();
  }

  #mapped<R>(work: () => Promise<R>): Promise<R> {
    return mapErrors(this.#failure, work, this.#explain);
  }

  #feed(inputs: Tensors): void {
    this.#freeFeeds();
    this.#feeds = Object.fromEntries(
      this.inputs.map((spec) => [spec.name, this.#native.upload(inputFor(spec, inputs))]),
    );
  }

  #freeFeeds(): void {
    for (const feed of Object.values(this.#feeds)) this.#native.free(feed);
    this.#feeds = {};
  }
}
