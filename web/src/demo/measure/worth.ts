// What is worth measuring in this browser. Each back end is asked for once.

import { whyNot } from '../../engines/common/backends.ts';
import type { Backend } from '../../engines/common/engine.ts';
import { type Choice, isAvoided } from '../site/choices.ts';

/** Plain JavaScript leaves a race early, but would hold up a measurement for minutes. */
const SLOW: Backend = 'cpu';

const reasons = new Map<Backend, Promise<string | null>>();

/** Whether a choice is worth a race, or a measurement, in this browser. */
export async function isWorthIt(choice: Choice, what: 'race' | 'measure'): Promise<boolean> {
  const { engine, backend } = choice;
  if (isAvoided(engine, backend) || (what === 'measure' && backend === SLOW)) return false;
  const known = reasons.get(backend) ?? whyNotHere(backend);
  reasons.set(backend, known);
  return (await known) === null;
}

async function whyNotHere(backend: Backend): Promise<string | null> {
  const reason = await whyNot(backend);
  if (reason || backend !== 'webgpu') return reason;
  const adapter = await navigator.gpu.requestAdapter();
  // SwiftShader takes seconds per run and shows only that it works.
  return adapter?.info.isFallbackAdapter ? 'its WebGPU is computed by the processor' : null;
}
