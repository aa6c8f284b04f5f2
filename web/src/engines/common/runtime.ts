// What makes a runtime an engine. It may throw anything: start.ts makes EngineErrors of it.

import type { Explain } from '../../protocol/errors.ts';
import type { Tensor, TensorSpec } from '../../protocol/tensors.ts';
import type { Backend, Files, Format } from './engine.ts';
import type { Loss } from './loss.ts';

/**
 * What is known of an engine before it is downloaded; its about.ts says it.
 *
 * label: its name for people. backends: the default one first. avoided: the back ends that a page
 * uses only where it is asked to. module: downloads the engine.
 */
export interface EngineInfo {
  readonly label: string;
  readonly format: Format;
  readonly backends: readonly [Backend, ...Backend[]];
  readonly avoided?: readonly Backend[];
  readonly module: () => Promise<EngineModule>;
}

/** What an engine's module exports: `start` fetches the runtime's files and readies the back end. */
export interface EngineModule {
  /** threads: of WebAssembly. More than 1 need a page that is cross-origin isolated. */
  start(backend: Backend, threads: number): Promise<Runtime>;
}

/**
 * A runtime that is ready on one back end.
 *
 * loss: watches its GPU. explain: says in one line what an error of its means. remark: words for
 * the end of "… cannot run the model".
 */
export interface Runtime {
  readonly version: string;
  readonly loss: Loss;
  readonly explain?: Explain;
  readonly remark?: string;

  /** Return the model, parsed and compiled. options: those of the artifact ("engine_options"). */
  // biome-ignore lint/suspicious/noExplicitAny: each runtime has tensors of its own type
  load(files: Files, options: Readonly<Record<string, unknown>>): Promise<NativeModel<any>>;
}

/** A model in a runtime, whose tensors are of type T. */
export interface NativeModel<T> {
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
