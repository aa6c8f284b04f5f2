// What Node says about where it runs; the machine's own facts are added by who started it.

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { clockResolutionNs } from '../worker/timing.ts';
import { hasSimd } from '../worker/wasm.ts';
import type { Place } from '../worker/worker.ts';

const BYTES_PER_KB = 1024;

export const NODE: Place = {
  environment: async () => ({
    event: 'environment',
    platform: 'node',
    node: process.versions.node,
    logical_cores: availableParallelism(),
    wasm_simd: hasSimd(),
    clock_resolution_ns: clockResolutionNs(),
  }),
  peakMemoryBytes,
};

/**
 * Return the most memory (resident set) that this process has had.
 *
 * Linux carries what getrusage says over from a parent to the program that it starts; VmHWM starts
 * again.
 */
function peakMemoryBytes(): number {
  const kilobytes = /^VmHWM:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kilobytes ?? process.resourceUsage().maxRSS) * BYTES_PER_KB;
}
