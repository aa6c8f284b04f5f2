// What is worth measuring in this browser, which is asked once for each back end.

import { whyNot } from '../../engines/common/backends.ts';
import type { Backend } from '../../engines/common/engine.ts';
import { type Choice, isAvoided } from '../site/choices.ts';

/** Plain JavaScript is out of a race soon, but would hold up a measurement for minutes. */
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
  // SwiftShader takes seconds a run and shows nothing but that it works.
  return adapter?.info.isFallbackAdapter ? 'its WebGPU is computed by the processor' : null;
}
