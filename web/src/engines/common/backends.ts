// Whether this browser has what a back end needs.

import { EngineError } from '../../protocol/errors.ts';
import type { Backend } from './engine.ts';
import type { EngineInfo } from './runtime.ts';

/** Return why this page or worker cannot use the back end, or null if it can. */
export async function whyNot(backend: Backend): Promise<string | null> {
  switch (backend) {
    case 'webgl':
      return hasWebGl() ? null : 'this browser gives no WebGL context';
    case 'webgpu':
      if (!globalThis.navigator?.gpu) {
        return globalThis.isSecureContext
          ? 'this browser has no WebGPU'
          : 'browsers offer WebGPU over https and on localhost only';
      }
      return (await navigator.gpu.requestAdapter()) ? null : 'this browser gives no WebGPU adapter';
    case 'wasm':
      return typeof WebAssembly === 'object' ? null : 'this browser has no WebAssembly';
    case 'cpu':
      return null;
  }
}

/** Throw EngineError unless both the engine and this browser have the back end. */
export async function requireBackend(
  { label, backends }: EngineInfo,
  backend: Backend,
): Promise<void> {
  if (!backends.includes(backend)) {
    throw new EngineError(`${label} has no back end '${backend}'. It has: ${backends.join(', ')}.`);
  }
  const reason = await whyNot(backend);
  if (reason) throw new EngineError(`${label} cannot use ${backend}: ${reason}.`);
}

/** Throw an Error if several threads are wanted and the page may not share memory. */
export function requireThreads(threads: number): void {
  if (threads > 1 && !globalThis.crossOriginIsolated) {
    throw new Error(
      `the page is not cross-origin isolated, which ${threads} threads need. ` +
        'Serve it with COOP same-origin and COEP require-corp.',
    );
  }
}

function hasWebGl(): boolean {
  const context = newWebGlContext();
  context?.getExtension('WEBGL_lose_context')?.loseContext();
  return context !== null;
}

/** Return a new WebGL context, or null if the browser gives none. */
export function newWebGlContext(): WebGLRenderingContext | WebGL2RenderingContext | null {
  if (typeof OffscreenCanvas === 'undefined' && typeof document === 'undefined') return null;
  const canvas =
    typeof OffscreenCanvas === 'undefined'
      ? document.createElement('canvas')
      : new OffscreenCanvas(1, 1);
  return canvas.getContext('webgl2') ?? canvas.getContext('webgl');
}
