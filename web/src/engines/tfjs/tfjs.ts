// TF.js: graph models on WebGL, WebAssembly, WebGPU, or plain JavaScript ("cpu").
//
// Layers models, which TF.js has besides, are read by layers.ts: artifacts are none.
//
// Works in a page and in a module worker; WebGL in a worker needs OffscreenCanvas.

import { type GraphModel, loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import type { Dtype, TensorSpec } from '../../protocol/tensors.ts';
import { requireThreads } from '../common/backends.ts';
import { parseJson } from '../common/download.ts';
import type { Backend, Files } from '../common/engine.ts';
import { Loss } from '../common/loss.ts';
import type { NativeModel, Runtime } from '../common/runtime.ts';
import { runtimeFolder } from '../common/runtimes.ts';
import { TENSORS } from './tensors.ts';

/** Ready a back end; only that one is downloaded. */
export async function start(backend: Backend, threads: number): Promise<Runtime> {
  const loss = new Loss();
  const watch = await register(backend, threads, loss);
  if (!(await tf.setBackend(backend))) throw new Error('its back end did not initialize');
  watch();
  return {
    version: tf.version_core,
    loss,
    load: async (files) => {
      const parsed = parseModel(files);
      if (isLayersModel(parsed)) {
        const { loadLayers } = await import('./layers.ts');
        return loadLayers(parsed);
      }
      const graph = await loadGraphModel({ load: async () => parsed });
      return nativeModel(graph, (parsed.signature as Signature | undefined) ?? signatureOf(graph));
    },
  };
}

/** Import a back end; return what to call once it is set, to watch for its loss. */
async function register(backend: Backend, threads: number, loss: Loss): Promise<() => void> {
  if (backend === 'webgl') {
    const { MathBackendWebGL } = await import('@tensorflow/tfjs-backend-webgl');
    // Otherwise TF.js refuses software renderers. They are slow, and the results name them.
    tf.env().set('SOFTWARE_WEBGL_ENABLED', true);
    return () => {
      const set = tf.backend();
      if (set instanceof MathBackendWebGL) loss.watchContext(set.getGPGPUContext().gl);
    };
  }
  if (backend === 'webgpu') {
    const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
    return () => {
      const set = tf.backend();
      if (set instanceof WebGPUBackend) loss.watchDevice(set.device);
    };
  }
  if (backend === 'wasm') {
    requireThreads(threads);
    const { setThreadsCount, setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
    setWasmPaths(runtimeFolder('tfjs'));
    setThreadsCount(threads);
    // The build with threads is a different, larger one.
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', threads > 1);
  } else {
    await import('@tensorflow/tfjs-backend-cpu');
  }
  return () => {};
}

/** The dtypes that TF.js computes with, by the names in a signature. */
const DTYPES: Readonly<Record<string, Dtype>> = {
  DT_FLOAT: 'float32',
  DT_HALF: 'float32',
  DT_INT32: 'int32',
  DT_INT64: 'int32',
  DT_INT16: 'int32',
  DT_INT8: 'int32',
  DT_UINT8: 'int32',
  DT_BOOL: 'bool',
};

/** A tensor in the signature of a model.json; a size of -1 is free. */
interface TensorInfo {
  readonly name: string;
  readonly dtype: string;
  readonly tensorShape: { readonly dim?: readonly { readonly size: string }[] };
}

interface Signature {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly outputs: Readonly<Record<string, TensorInfo>>;
}

function parseModel(files: Files): tf.io.ModelArtifacts {
  const json = parseJson<tf.io.ModelJSON>(files.main);
  if (!json.modelTopology) throw new Error('it holds no model');
  return {
    modelTopology: json.modelTopology,
    ...(json.signature ? { signature: json.signature } : {}),
    weightSpecs: tf.io.getWeightSpecs(json.weightsManifest),
    weightData: files.shards.map((shard) => shard.buffer),
  };
}

/** Whether a model is one of layers: a graph has nodes. Files of TF.js 0 do not say. */
function isLayersModel({ modelTopology }: tf.io.ModelArtifacts): boolean {
  return !!modelTopology && !('node' in modelTopology);
}

/** The signature of a graph that was written without one, as TF.js finds it. */
function signatureOf(graph: GraphModel): Signature {
  const [inputs, outputs] = [graph.inputs, graph.outputs].map((tensors) =>
    Object.fromEntries(
      tensors.map(({ name, shape, dtype }) => {
        const dim = (shape ?? []).map((size) => ({ size: String(size ?? -1) }));
        return [name, { name, dtype: WORDS[dtype] ?? 'DT_FLOAT', tensorShape: { dim } }];
      }),
    ),
  );
  return { inputs: inputs!, outputs: outputs! };
}

const WORDS: Readonly<Record<string, string>> = { int32: 'DT_INT32', bool: 'DT_BOOL' };

function specs(infos: Readonly<Record<string, TensorInfo>>): TensorSpec[] {
  return Object.entries(infos).map(([name, info]) => ({
    name,
    shape: (info.tensorShape.dim ?? []).map(({ size }) => (Number(size) < 0 ? null : Number(size))),
    dtype: dtypeOf(name, info.dtype),
  }));
}

function dtypeOf(name: string, word: string): Dtype {
  const dtype = DTYPES[word];
  if (!dtype) throw new Error(`'${name}' is a ${word}`);
  return dtype;
}

/** A graph model in TF.js. */
function nativeModel(graph: GraphModel, signature: Signature): NativeModel<tf.Tensor> {
  const outputs = specs(signature.outputs);
  const names = outputs.map((spec) => spec.name);
  let isAsync = false;

  const results = async (feeds: tf.NamedTensorMap) => {
    if (!isAsync) {
      try {
        return graph.execute(feeds, names);
      } catch (error) {
        // Loops, and outputs whose size depends on values, need the other call. TF.js says so
        // before it runs anything.
        if (!String(error).includes('executeAsync')) throw error;
        isAsync = true;
      }
    }
    return graph.executeAsync(feeds, names);
  };

  return {
    inputs: specs(signature.inputs),
    outputs,
    ...TENSORS,
    execute: async (feeds) => {
      const made = [await results(feeds)].flat();
      return Object.fromEntries(names.map((name, index) => [name, made[index]!]));
    },
    dispose: () => graph.dispose(),
  };
}
