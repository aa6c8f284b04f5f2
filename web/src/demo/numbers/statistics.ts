// What samples tell: the same figures as in edgekit/results/statistics.py, which explains them.
// test/demo_statistics.test.ts compares the two.

import type { Ratio, Statistics } from '../../protocol/generated/results.ts';

const NOISE = 0.01;
const OUTLIER_Z = 3.5;
const MEDIAN_DEVIATION_FACTOR = 1 / 0.6745;
const MEAN_DEVIATION_FACTOR = 1.253314;
const T_975 = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281];
const NORMAL_975 = 1.959964;
const BLOCKS_A_ROUND = 2;

/** The blocks of one model in one process, in the order of time: samples in ns. */
export type ProcessBlocks = readonly (readonly number[])[];

export const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

export const mean = (values: readonly number[]) => sum(values) / values.length;

/** The quantile of the values, interpolated linearly, as numpy does. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const before = Math.floor(place);
  const low = sorted[before] ?? Number.NaN;
  const high = sorted[before + 1] ?? low;
  return low + (high - low) * (place - before);
}

export const median = (values: readonly number[]) => quantile(values, 0.5);

/** The summary of samples, in their unit. Throws if there are none. */
export function summarize(samples: readonly number[]): Statistics {
  if (samples.length === 0) throw new Error('no samples to summarize');
  const middle = median(samples);
  const deviations = samples.map((value) => Math.abs(value - middle));
  const mad = median(deviations);
  return {
    runs: samples.length,
    median: middle,
    p90: quantile(samples, 0.9),
    mad,
    min: Math.min(...samples),
    outliers: countOutliers(deviations, mad),
  };
}

function countOutliers(deviations: readonly number[], mad: number): number {
  // Over half of the samples may be equal, as with a coarse clock.
  const scale = MEDIAN_DEVIATION_FACTOR * mad || MEAN_DEVIATION_FACTOR * mean(deviations);
  return scale ? deviations.filter((value) => value > OUTLIER_Z * scale).length : 0;
}

/**
 * The time of the candidate over that of the reference, measured side by side, with its 95 %
 * interval. Both have one entry per process; block k of one was measured beside block k of the
 * other.
 */
export function compare(
  candidate: readonly ProcessBlocks[],
  reference: readonly ProcessBlocks[],
): Ratio {
  const rounds = candidate.map((blocks, index) => roundLogRatios(blocks, reference[index] ?? []));
  if (rounds.length === 0) throw new Error('no processes to compare');
  const units = rounds.length > 1 ? rounds.map(mean) : rounds[0]!;
  const center = mean(units);
  const half = halfWidth(units);
  const value = Math.exp(center);
  const low = half === null ? null : Math.exp(center - half);
  const high = half === null ? null : Math.exp(center + half);
  return { value, low, high, derived: false, counted: false, verdict: verdict(low, high) };
}

function verdict(low: number | null, high: number | null): Ratio['verdict'] {
  if (high !== null && high < 1 - NOISE) return 'faster';
  if (low !== null && low > 1 + NOISE) return 'slower';
  return 'not distinguishable';
}

function roundLogRatios(candidate: ProcessBlocks, reference: ProcessBlocks): number[] {
  if (candidate.length !== reference.length || candidate.length === 0) {
    throw new Error(`${candidate.length} blocks cannot be compared with ${reference.length}`);
  }
  const differences = candidate.map(
    (block, index) => Math.log(median(block)) - Math.log(median(reference[index] ?? [])),
  );
  const rounds: number[] = [];
  for (let start = 0; start < differences.length; start += BLOCKS_A_ROUND) {
    rounds.push(mean(differences.slice(start, start + BLOCKS_A_ROUND)));
  }
  return rounds;
}

/** Half the width of the 95 % interval of the mean of `units`; null for a single one. */
function halfWidth(units: readonly number[]): number | null {
  const freedom = units.length - 1;
  if (freedom === 0) return null;
  const center = mean(units);
  const squares = sum(units.map((value) => (value - center) ** 2));
  return student975(freedom) * Math.sqrt(squares / freedom / units.length);
}

/** The .975 quantile of Student's t, to four digits (Abramowitz and Stegun, 26.7.5). */
export function student975(freedom: number): number {
  const tabled = T_975[freedom - 1];
  if (tabled !== undefined) return tabled;
  const z = NORMAL_975;
  const terms = [
    z,
    (z ** 3 + z) / 4,
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
    (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160,
  ];
  return sum(terms.map((term, power) => term / freedom ** power));
}
