// What is known of onnxruntime-web before it is downloaded.

import type { EngineInfo } from '../common/runtime.ts';

export const ortWeb: EngineInfo = {
  label: 'onnxruntime-web',
  format: 'onnx',
  backends: ['wasm', 'webgpu', 'webgl'],
  // Ten times slower than its WebAssembly, and refuses most artifacts.
  avoided: ['webgl'],
  module: () => import('./ort-web.ts'),
};

/** The runtime's own files in node_modules, which its JavaScript fetches: for the build. */
export const FILES = [
  'onnxruntime-web/dist/ort-wasm-simd-threaded.mjs',
  'onnxruntime-web/dist/ort-wasm-simd-threaded.wasm',
  'onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.mjs',
  'onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.wasm',
];
