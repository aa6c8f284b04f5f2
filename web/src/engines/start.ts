// Starts engines by name; each is downloaded when it is first asked for.

import { EngineError, mapErrors } from '../protocol/errors.ts';
import { requireBackend } from './common/backends.ts';
import type { Backend, Engine } from './common/engine.ts';
import { RuntimeModel } from './common/model.ts';
import { inBundleNames, type Names } from './common/renamed.ts';
import { type Axes, inBundleOrder } from './common/reordered.ts';
import { ENGINE_NAMES, ENGINES, type EngineName } from './known.ts';

const started = new Map<EngineName, { readonly key: string; readonly engine: Promise<Engine> }>();

/**
 * Download an engine and ready its back end. If it was started before, return that one.
 *
 * backend: null for the engine's default. threads: of WebAssembly. A page or worker has one back
 * end and thread count per engine, because the runtimes keep them as global state: start a worker
 * for each to try several. Throws EngineError.
 */
export async function startEngine(
  name: EngineName,
  backend: Backend | null = null,
  threads = 1,
): Promise<Engine> {
  const info = ENGINES[name];
  if (!info) {
    const known = ENGINE_NAMES.join(', ');
    throw new EngineError(`There is no engine '${name}' in the browser. There are: ${known}.`);
  }
  const wanted = backend ?? info.backends[0];
  const key = threads > 1 ? `${wanted} with ${threads} threads` : wanted;
  const before = started.get(name);
  if (before && before.key !== key) {
    throw new EngineError(
      `${info.label} runs on ${before.key} in this page and cannot run on ${key} too.`,
    );
  }
  if (before) return before.engine;
  const engine = start(name, wanted, threads);
  started.set(name, { key, engine });
  engine.catch(() => started.delete(name));
  return engine;
}

async function start(name: EngineName, backend: Backend, threads: number): Promise<Engine> {
  const info = ENGINES[name];
  const { label, format } = info;
  await requireBackend(info, backend);
  const module = await info.module();
  const runtime = await mapErrors(`${label} cannot start on ${backend}`, () =>
    module.start(backend, threads),
  );
  const { version, loss, explain, remark = '' } = runtime;
  const load: Engine['load'] = async (files, options = {}) => {
    const native = await mapErrors(
      `${label} cannot load the model${remark}`,
      () => runtime.load(files, options),
      explain,
    );
    const model = new RuntimeModel(native, loss, `${label} cannot run the model${remark}`, explain);
    const named = inBundleNames(model, options.names as Names | undefined);
    return inBundleOrder(named, options.axes as Axes | undefined);
  };
  return { name, version, format, backend, load };
}
