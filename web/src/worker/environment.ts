// What the browser is: the facts without which a measurement means nothing.

import { newWebGlContext } from '../engines/common/backends.ts';
import type { Backend } from '../engines/common/engine.ts';
import { ENGINES, type EngineName } from '../engines/known.ts';
import type { EnvironmentEvent, Job } from '../protocol/generated/job.ts';
import { clockResolutionNs } from './timing.ts';
import { hasInt8DotProducts, hasSimd } from './wasm.ts';

/** Names of renderers that draw on the CPU. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|lavapipe|software|basic render/i;

/** Return the facts. A renderer is asked for only if the job uses it: that may take a second. */
export async function describeEnvironment(job: Job): Promise<EnvironmentEvent> {
  const backends = new Set(
    job.models.map(
      ({ engine, options }) =>
        (options.backend as Backend | undefined) ?? ENGINES[engine as EngineName]?.backends[0],
    ),
  );
  const drawing = {
    ...(backends.has('webgl') ? { renderer: webGlRenderer() } : {}),
    ...(backends.has('webgpu') ? { webgpu: await webGpuAdapter() } : {}),
  };
  const asked = Object.values(drawing);
  const named = asked.filter((name) => name !== null);
  return {
    event: 'environment',
    platform: 'browser',
    user_agent: navigator.userAgent,
    browser: await browserName(),
    ...drawing,
    ...(asked.length ? { software_renderer: named.some((name) => SOFTWARE.test(name)) } : {}),
    cpu: named[0] ?? null,
    cross_origin_isolated: globalThis.crossOriginIsolated,
    wasm_simd: hasSimd(),
    wasm_int8_dot_products: hasInt8DotProducts(),
    logical_cores: navigator.hardwareConcurrency,
    clock_resolution_ns: clockResolutionNs(),
  };
}

/** Return what draws WebGL, or null if nothing does. */
function webGlRenderer(): string | null {
  const gl = newWebGlContext();
  if (!gl) return null;
  const names = gl.getExtension('WEBGL_debug_renderer_info');
  const name = gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return String(name);
}

/** Return the adapter that WebGPU offers, or null if there is none. */
async function webGpuAdapter(): Promise<string | null> {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) return null;
  const { vendor, architecture, device, description } = adapter.info;
  const words = [vendor, architecture, device, description].filter((word) => word !== '');
  return words.join(' ') || 'an adapter without a name';
}

/** The part of User-Agent Client Hints that is asked for; only Chromium has them. */
interface UserAgentData {
  getHighEntropyValues(hints: readonly string[]): Promise<{
    readonly fullVersionList?: readonly { readonly brand: string; readonly version: string }[];
  }>;
}

/** Return name and version: "Chromium 156.0.7100.2", "Firefox 140.0". */
async function browserName(): Promise<string> {
  const { userAgentData } = navigator as Navigator & { userAgentData?: UserAgentData };
  const hints = await userAgentData?.getHighEntropyValues(['fullVersionList']);
  const brands = (hints?.fullVersionList ?? []).filter(({ brand }) => !/not.*brand/i.test(brand));
  // Browsers that are built on Chromium name it beside themselves.
  const own = brands.find(({ brand }) => brand !== 'Chromium') ?? brands[0];
  if (own) return `${own.brand} ${own.version}`;
  const named = /(Firefox|Edg|Chrome)\/([\d.]+)/.exec(navigator.userAgent);
  if (named) return `${named[1]} ${named[2]}`;
  const safari = /Version\/([\d.]+).*Safari/.exec(navigator.userAgent);
  return safari ? `Safari ${safari[1]}` : 'unknown';
}
