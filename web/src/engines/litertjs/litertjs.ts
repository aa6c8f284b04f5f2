// LiteRT.js: TFLite files on WebAssembly and WebGPU.
//
// Works in a page and in a module worker.

import {
  type CompiledModel,
  loadAndCompile,
  loadLiteRt,
  Tensor,
  type TensorDetails,
} from '@litertjs/core';
import { version } from '@litertjs/core/package.json';
import { firstLine } from '../../protocol/errors.ts';
import type { TensorSpec } from '../../protocol/tensors.ts';
import { requireThreads } from '../common/backends.ts';
import type { Backend } from '../common/engine.ts';
import { Loss } from '../common/loss.ts';
import type { NativeModel, Runtime } from '../common/runtime.ts';
import { runtimeFolder } from '../common/runtimes.ts';
/** Fetch LiteRT.js's WebAssembly and ready it. */
export async function start(backend: Backend, threads: number): Promise<Runtime> {
  requireThreads(threads);
  const loss = new Loss();
  const folder = runtimeFolder('litertjs');
  prepareGlue(folder);
  const loading = () => loadLiteRt(folder, { threads: threads > 1 });
  const liteRt = await (backend === 'webgpu' ? loading() : withoutGpu(loading));
  // This check takes only -1 for a free size. The runtime itself takes any size, and inputFor finds
  // what does not fit.
  liteRt.liteRtWasm.checkTensorBufferCompatible = () => {};
  const device = liteRt.getWebGpuDevice();
  if (backend === 'webgpu' && device) loss.watchDevice(device);
  return {
    version,
    loss,
    explain,
    load: async ({ main }) => {
      complaints.length = 0;
      const compiled = await loadAndCompile(main, {
        accelerator: backend === 'webgpu' ? 'webgpu' : 'wasm',
        cpuOptions: { numThreads: threads },
        gpuOptions: { precision: 'fp32' },
      });
      // Otherwise it would silently run on WebAssembly, as a whole or in part.
      const isWhole = compiled.isFullyAccelerated && compiled.options.accelerator === 'webgpu';
      if (backend === 'webgpu' && !isWhole) {
        compiled.delete();
        throw new Error('it does not run as a whole on webgpu. Use wasm.');
      }
      return nativeModel(compiled);
    },
  };
}

/** What LiteRT.js printed as errors: what it throws often names only places in its own source. */
const complaints: string[] = [];

function explain(error: unknown): string {
  const line = firstLine(error);
  if (line.startsWith('Element type')) {
    return `${line} It takes float32, int32 and uint8: convert with --io float.`;
  }
  return line.startsWith('ERROR: [') ? (complaints.splice(0)[0] ?? 'it gave no reason') : line;
}

/** Tell LiteRT.js's glue code where its files are, and to print nothing. */
function prepareGlue(folder: string): void {
  const scope = globalThis as unknown as {
    Module?: object;
    importScripts?: (url: string) => void;
  };
  scope.Module = {
    locateFile: (file: string) => folder + file,
    // Its threads are workers that run the glue; in a worker it would take that worker's script.
    mainScriptUrlOrBlob: `${folder}litert_wasm_threaded_internal.js`,
    print: () => {},
    printErr: (line: string) => {
      if (/^(ERROR|E\d{4})/.test(line))
        complaints.push(line.replace(/^(ERROR|E\d{4} [^\]]*\]):? */, ''));
    },
  };
  // Its loader calls importScripts in every worker, and in module workers that only throws.
  if (typeof document === 'undefined') scope.importScripts = importScript;
}

/** Keep LiteRT.js from opening a GPU device that nothing will use, as it always would. */
async function withoutGpu<T>(work: () => Promise<T>): Promise<T> {
  const adapter = { limits: {}, features: new Set(), requestDevice: async () => null };
  const gpu = { requestAdapter: async () => adapter };
  Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true });
  try {
    return await work();
  } finally {
    // The property hid the one of the prototype.
    Reflect.deleteProperty(navigator, 'gpu');
  }
}

/** Do what importScripts does, in a module worker. */
function importScript(url: string): void {
  const request = new XMLHttpRequest();
  request.open('GET', url, false);
  request.send();
  if (request.status !== 200) throw new Error(`${url} could not be downloaded`);
  // biome-ignore lint/security/noGlobalEval: called indirectly it evaluates our own file in the global scope, where the glue leaves its factory
  const evaluate = eval;
  evaluate(request.responseText);
}

/** A compiled model in LiteRT.js. */
function nativeModel(compiled: CompiledModel): NativeModel<Tensor> {
  const inputs = specs(compiled.getInputDetails());
  const outputs = specs(compiled.getOutputDetails());
  const isFree = ({ shape }: TensorSpec) => shape.includes(null);
  const unknown = inputs.some(isFree) ? undefined : outputs.find(isFree);
  if (unknown) {
    throw new Error(`the size of its output '${unknown.name}' depends on values`);
  }
  return {
    inputs,
    outputs,
    upload: ({ data, shape }) => new Tensor(data as Float32Array, [...shape]),
    execute: (feeds) => compiled.run(feeds),
    read: async (output) => ({
      dtype: output.type.dtype,
      shape: [...output.type.layout.dimensions],
      data: await output.data(),
    }),
    free: (tensor) => tensor.delete(),
    dispose: () => compiled.delete(),
  };
}

function specs(details: readonly TensorDetails[]): TensorSpec[] {
  return details.map(({ name, shape, dtype }) => ({
    name,
    shape: [...shape].map((size) => (size < 0 ? null : size)),
    dtype,
  }));
}
