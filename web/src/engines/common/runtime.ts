// What a runtime must offer to become an engine. Everything here may throw anything: start.ts turns
// it into EngineErrors.

import type { Explain } from '../../protocol/errors.ts';
import type { Tensor, TensorSpec } from '../../protocol/tensors.ts';
import type { Backend, Files, Format } from './engine.ts';
import type { Loss } from './loss.ts';

/**
 * What is known of an engine before it is downloaded; its about.ts says it.
 *
 * label: its name for people. backends: the default one first. avoided: the back ends that a page
 * uses only if it is told to. module: downloads the engine.
 */
export interface EngineInfo {
  readonly label: string;
  readonly format: Format;
  readonly backends: readonly [Backend, ...Backend[]];
  readonly avoided?: readonly Backend[];
  readonly module: () => Promise<EngineModule>;
}

/** What an engine's module exports. */
export interface EngineModule {
  /**
   * Fetch the runtime's files and ready the back end.
   *
   * threads: of WebAssembly. More than 1 need a page that is cross-origin isolated.
   */
  start(backend: Backend, threads: number): Promise<Runtime>;
}

/**
 * A runtime that is ready on one back end.
 *
 * loss: watches the GPU. explain: says in one line what one of the runtime's errors means.
 * remark: is added to "… cannot run the model".
 */
export interface Runtime {
  readonly version: string;
  readonly loss: Loss;
  readonly explain?: Explain;
  readonly remark?: string;

  /** Return the model, parsed and compiled. options: those of the artifact ("engine_options"). */
  // biome-ignore lint/suspicious/noExplicitAny: each runtime has its own type of tensors
  load(files: Files, options: Readonly<Record<string, unknown>>): Promise<NativeModel<any>>;
}

/** A model in a runtime, whose tensors are of type T. */
export interface NativeModel<T> {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];

  /** Return these numbers as a tensor of the runtime. */
  upload(tensor: Tensor): T;

  /** Run the model; return its outputs by name. */
  execute(feeds: Record<string, T>): Promise<Record<string, T>>;

  /** Return the numbers of an output. */
  read(output: T): Promise<Tensor>;

  /** Free a tensor. */
  free(tensor: T): void;

  /** Free the model. */
  dispose(): void;
}
