// Engines by name; each is downloaded when it is first asked for.

import { EngineError } from '../protocol/errors.ts';
import { requireBackend } from './common/backends.ts';
import type { Backend, Engine, EngineModule, EngineName, EngineOptions } from './common/engine.ts';
import { ENGINES } from './known.ts';

export { DataError, EngineError } from '../protocol/errors.ts';
export { whyNot } from './common/backends.ts';
export { download, type Files } from './common/download.ts';
export type * from './common/engine.ts';
export { ENGINES, type EngineInfo } from './known.ts';

const MODULES: Readonly<Record<EngineName, () => Promise<EngineModule>>> = {
  tfjs: () => import('./tfjs/tfjs.ts'),
  litertjs: () => import('./litertjs/litertjs.ts'),
  'ort-web': () => import('./ort-web/ort-web.ts'),
};

const started = new Map<EngineName, { readonly key: string; readonly engine: Promise<Engine> }>();

/**
 * Download an engine and ready its back end; the same engine again is the one that was started.
 *
 * backend: null for the engine's default. A page or worker has one back end and thread count an
 * engine, for the runtimes keep them as global state: take a worker each to try several.
 * Throws EngineError.
 */
export async function startEngine(
  name: EngineName,
  backend: Backend | null = null,
  options: EngineOptions = {},
): Promise<Engine> {
  const info = ENGINES[name];
  if (!info) {
    const known = Object.keys(ENGINES).join(', ');
    throw new EngineError(`There is no engine '${name}' in the browser. There are: ${known}.`);
  }
  const wanted = backend ?? info.backends[0];
  const { threads = 1 } = options;
  const key = threads > 1 ? `${wanted} with ${threads} threads` : wanted;
  const before = started.get(name);
  if (before && before.key !== key) {
    throw new EngineError(
      `${info.label} runs on ${before.key} in this page and cannot run on ${key} too.`,
    );
  }
  if (before) return before.engine;
  const engine = start(name, wanted, options);
  started.set(name, { key, engine });
  engine.catch(() => started.delete(name));
  return engine;
}

async function start(name: EngineName, backend: Backend, options: EngineOptions): Promise<Engine> {
  await requireBackend(name, backend);
  const module = await MODULES[name]();
  return module.start(backend, options);
}
