// The interface that all engines share. startEngine (start.ts) returns one: a page downloads only
// the engine that it starts.
//
//     const engine = await startEngine('tfjs', 'webgl');
//     const files = await download(engine.format, url);
//     const model = await engine.load(files);
//     const { digit } = await model.run({ image });

import type { Backend, Format } from '../../protocol/generated/formats.ts';
import type { TensorSpec, Tensors } from '../../protocol/tensors.ts';

export type { Backend, Format };

/** A runtime that is ready on one back end. Everything here throws EngineError. */
export interface Engine {
  readonly name: string;
  readonly version: string;
  readonly format: Format;
  readonly backend: Backend;

  /** Return the model, parsed and compiled. options: those of the artifact ("engine_options"). */
  load(files: Files, options?: Readonly<Record<string, unknown>>): Promise<Model>;
}

/**
 * An artifact, downloaded.
 *
 * main: the .tflite or .onnx file, or TF.js's model.json.
 * shards: TF.js's weights in the order of model.json; empty for the other formats.
 */
export interface Files {
  readonly main: Uint8Array<ArrayBuffer>;
  readonly shards: readonly Uint8Array<ArrayBuffer>[];
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

/** A model and its inputs, with what is timed apart from what must not be. */
export interface BoundModel {
  /** Run the model, read every output back and return them: this alone is timed. */
  run(): Promise<Tensors>;

  /** Free what the last run left in the runtime. */
  release(): void;
}
