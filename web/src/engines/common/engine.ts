// The one interface of the engines. Get one by startEngine (index.ts): a page downloads only that.
//
//     const engine = await startEngine('tfjs', 'webgl');
//     const files = await download(engine.format, url);
//     const model = await engine.load(files);
//     const { digit } = await model.run({ image });

import type { TensorSpec, Tensors } from '../../protocol/tensors.ts';
import type { Files } from './download.ts';

export type EngineName = 'tfjs' | 'litertjs' | 'ort-web';
export type Backend = 'webgl' | 'wasm' | 'webgpu' | 'cpu';
export type Format = 'tfjs' | 'tflite' | 'onnx';

/** threads: of WebAssembly; 1 by default. More need a page that is cross-origin isolated. */
export interface EngineOptions {
  readonly threads?: number;
}

/** What an engine's module offers: `start` fetches the runtime's files and readies the back end. */
export interface EngineModule {
  start(backend: Backend, options: EngineOptions): Promise<Engine>;
}

/** A runtime that is ready on one back end. Everything here throws EngineError. */
export interface Engine {
  readonly name: EngineName;
  readonly version: string;
  readonly format: Format;
  readonly backend: Backend;

  /** Return the model, parsed and compiled. options: those of the artifact ("engine_options"). */
  load(files: Files, options?: Readonly<Record<string, unknown>>): Promise<Model>;
}

/** A loaded artifact. Inputs and outputs go by name; free sizes are null in their shapes. */
export interface Model {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];

  /** Return the outputs for one sample. */
  run(inputs: Tensors): Promise<Tensors>;

  /**
   * Set the inputs of one sample, ready to be run on many times.
   * Valid until the next `run`, `bind` or `dispose`.
   */
  bind(inputs: Tensors): Promise<BoundModel>;

  dispose(): void;
}

/** A model and its inputs: what is timed, and what must not be. */
export interface BoundModel {
  /** Run the model, read every output back and return them: this alone is timed. */
  run(): Promise<Tensors>;

  /** Give back what the last run left in the runtime. */
  release(): void;
}
