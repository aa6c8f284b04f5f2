// onnxruntime-web: ONNX files on WebAssembly, WebGPU and WebGL.
//
// Works in a page and in a module worker; WebGL in a worker needs OffscreenCanvas.

import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { type Explain, firstLine } from '../../protocol/errors.ts';
import type { Dtype, TensorSpec } from '../../protocol/tensors.ts';
import { requireThreads } from '../common/backends.ts';
import type { Backend } from '../common/engine.ts';
import { Loss } from '../common/loss.ts';
import type { NativeModel, Runtime } from '../common/runtime.ts';
import { runtimeFolder } from '../common/runtimes.ts';

type Ort = typeof import('onnxruntime-web');

/** The smallest model, y = |x|: onnxruntime-web fetches its WebAssembly with the first session. */
const TINY_MODEL =
  'CAg6MgoLCgF4EgF5IgNBYnMSAWdaDwoBeBIKCggIARIECgIIAWIPCgF5EgoKCAgBEgQKAggBQgQKABAN';

/** Fetch the build for a back end and ready it. */
export async function start(backend: Backend, threads: number): Promise<Runtime> {
  requireThreads(threads);
  const loss = new Loss();
  const ort = await importBuild(backend);
  ort.env.logLevel = 'error';
  ort.env.wasm.wasmPaths = runtimeFolder('ort-web');
  ort.env.wasm.numThreads = threads;
  const bytes = Uint8Array.from(atob(TINY_MODEL), (character) => character.charCodeAt(0));
  await open(ort, backend, bytes);
  if (backend === 'webgl') loss.watchContext(ort.env.webgl.context);
  if (backend === 'webgpu') loss.watchDevice((await ort.env.webgpu.device) as GPUDevice);
  return {
    version: ort.env.versions.web ?? ort.env.versions.common,
    loss,
    explain,
    remark: backend === 'webgl' ? ' on webgl, which has only older operators (use wasm)' : '',
    load: async ({ main }, options) => nativeModel(ort, await open(ort, backend, main, options)),
  };
}

function importBuild(backend: Backend): Promise<Ort> {
  switch (backend) {
    case 'webgl':
      return import('onnxruntime-web/webgl');
    case 'webgpu':
      return import('onnxruntime-web/webgpu');
    default:
      return import('onnxruntime-web/wasm');
  }
}

/** Open a session. options: {"disable_quant_qdq": bool}, like those of the Python engine. */
async function open(
  ort: Ort,
  backend: Backend,
  bytes: Uint8Array,
  options: Readonly<Record<string, unknown>> = {},
): Promise<InferenceSession> {
  const disabled = options.disable_quant_qdq === true;
  return ort.InferenceSession.create(bytes, {
    executionProviders: [backend],
    logSeverityLevel: 3,
    ...(disabled && { extra: { session: { disable_quant_qdq: '1' } } }),
  });
}

const explain: Explain = (error) => firstLine(error).replace(/^.*ERROR_MESSAGE: /, '');

/** A session of onnxruntime-web. */
function nativeModel(ort: Ort, session: InferenceSession): NativeModel<Tensor> {
  return {
    inputs: specs(metadata(session, 'input')),
    outputs: specs(metadata(session, 'output')),
    upload: ({ dtype, data, shape }) => new ort.Tensor(dtype, data as never, shape),
    execute: (feeds) => session.run(feeds),
    read: async (output) => ({
      dtype: output.type as Dtype,
      shape: output.dims,
      data: (await output.getData()) as Float32Array,
    }),
    free: (tensor) => tensor.dispose(),
    dispose: () => session.release(),
  };
}

type Metadata = readonly InferenceSession.ValueMetadata[];

/** What the webgl back end knows about a model but does not offer: internals of version 1.30. */
interface WebGlSession {
  readonly handler: { readonly session?: { readonly _model: { readonly graph: WebGlGraph } } };
}

interface WebGlGraph {
  getInputIndices(): readonly number[];
  getOutputIndices(): readonly number[];
  getValues(): readonly { type: { tensorType: Tensor.Type; shape: { dims: number[] } } }[];
}

function metadata(session: InferenceSession, side: 'input' | 'output'): Metadata {
  const graph = (session as unknown as WebGlSession).handler.session?._model.graph;
  if (!graph) return side === 'input' ? session.inputMetadata : session.outputMetadata;
  const names = side === 'input' ? session.inputNames : session.outputNames;
  const indices = side === 'input' ? graph.getInputIndices() : graph.getOutputIndices();
  return indices.map((index, number) => {
    const { tensorType, shape } = graph.getValues()[index]!.type;
    // For a size that a file leaves free it accepts only 0.
    shape.dims = shape.dims.map((size) => size ?? 0);
    return { name: names[number]!, isTensor: true, type: tensorType, shape: shape.dims };
  });
}

function specs(values: Metadata): TensorSpec[] {
  return values.map((value) => {
    if (!value.isTensor) throw new Error(`'${value.name}' is not a tensor`);
    return {
      name: value.name,
      shape: value.shape.map((size) => (typeof size === 'number' && size > 0 ? size : null)),
      dtype: value.type,
    };
  });
}
