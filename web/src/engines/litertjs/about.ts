// What is known of LiteRT.js before it is downloaded.

import type { EngineInfo } from '../common/runtime.ts';

export const litertjs: EngineInfo = {
  label: 'LiteRT.js',
  format: 'tflite',
  backends: ['wasm', 'webgpu'],
  module: () => import('./litertjs.ts'),
};

/** The runtime's own files in node_modules, which its JavaScript fetches: for the build. */
export const FILES = [
  '@litertjs/core/wasm/litert_wasm_internal.js',
  '@litertjs/core/wasm/litert_wasm_internal.wasm',
  '@litertjs/core/wasm/litert_wasm_compat_internal.js',
  '@litertjs/core/wasm/litert_wasm_compat_internal.wasm',
  '@litertjs/core/wasm/litert_wasm_threaded_internal.js',
  '@litertjs/core/wasm/litert_wasm_threaded_internal.wasm',
];
