// What is known of an engine before it is downloaded.

import type { Backend, EngineName, Format } from './common/engine.ts';

/** backends: the default one first. */
export interface EngineInfo {
  readonly label: string;
  readonly format: Format;
  readonly backends: readonly [Backend, ...Backend[]];
}

export const ENGINES: Readonly<Record<EngineName, EngineInfo>> = {
  tfjs: { label: 'TF.js', format: 'tfjs', backends: ['webgl', 'wasm', 'webgpu', 'cpu'] },
  litertjs: { label: 'LiteRT.js', format: 'tflite', backends: ['wasm', 'webgpu'] },
  'ort-web': { label: 'onnxruntime-web', format: 'onnx', backends: ['wasm', 'webgpu', 'webgl'] },
};
