// The times of predictions, kept and counted in bins.

import { median } from './statistics.ts';

const MOST_SAMPLES = 1000;
const BINS = 24;
/** Longer runs share the last bin: a few of them would squeeze all others into one. */
const SHOWN_MEDIANS = 3;

/** The newest times of the current model, in ns. */
export class Latency {
  readonly samples: number[] = [];

  add(samples: readonly number[]): void {
    this.samples.push(...samples);
    this.samples.splice(0, this.samples.length - MOST_SAMPLES);
  }
}

/** isOpen: the last bin also holds all runs that took longer. */
export interface Bins {
  readonly from: number;
  readonly to: number;
  readonly counts: readonly number[];
  readonly isOpen: boolean;
}

/** Count the samples in bins of equal width. */
export function binSamples(samples: readonly number[]): Bins {
  const from = Math.min(...samples);
  const most = Math.max(...samples);
  const to = Math.max(Math.min(most, SHOWN_MEDIANS * median(samples)), from * 1.1, from + 1);
  const counts = new Array<number>(BINS).fill(0);
  for (const sample of samples) {
    const bin = Math.min(BINS - 1, Math.floor(((sample - from) / (to - from)) * BINS));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { from, to, counts, isOpen: most > to };
}
