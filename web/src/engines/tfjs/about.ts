// What is known of TF.js before it is downloaded.

import type { EngineInfo } from '../common/runtime.ts';

export const tfjs: EngineInfo = {
  label: 'TF.js',
  format: 'tfjs',
  backends: ['webgl', 'wasm', 'webgpu', 'cpu'],
  module: () => import('./tfjs.ts'),
};

/** The runtime's own files in node_modules, which its JavaScript fetches: for the build. */
export const FILES = [
  '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm',
  '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm',
  '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm',
];
