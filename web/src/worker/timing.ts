// The measuring loop: blocks of runs, in palindromic order, as in edgekit_runtimes/timing.py.

import type { BoundModel } from '../engines/common/engine.ts';
import type { Plan } from '../protocol/generated/job.ts';

export const NS_PER_MS = 1e6;
const NS_PER_S = 1e9;

/** How many steps of the clock are watched, to find the smallest. */
const CLOCK_STEPS = 20;

/** Return the nanoseconds since the page was opened, as finely as the browser tells them. */
export function nowNs(): number {
  return Math.round(performance.now() * NS_PER_MS);
}

/** Return the smallest step that the clock was seen to make. */
export function clockResolutionNs(): number {
  let smallest = Number.POSITIVE_INFINITY;
  for (let step = 0; step < CLOCK_STEPS; step += 1) {
    const before = performance.now();
    let after = before;
    while (after === before) after = performance.now();
    smallest = Math.min(smallest, after - before);
  }
  return Math.round(smallest * NS_PER_MS);
}

/** Do the work; return its result and the nanoseconds that it took. */
export async function timed<T>(work: () => Promise<T>): Promise<[result: T, ns: number]> {
  const before = nowNs();
  const result = await work();
  return [result, nowNs() - before];
}

/** The clock's step may be this share of a sample. With a coarser one, medians would jump. */
const CLOCK_SHARE = 0.02;

/**
 * Return `count` samples: the nanoseconds of one run with its read-back or, if the clock is too
 * coarse to time one, the mean of `together` runs.
 */
export async function timedBlock(
  model: BoundModel,
  count: number,
  together = 1,
): Promise<number[]> {
  const samples: number[] = [];
  while (samples.length < count) {
    const before = performance.now();
    for (let run = 1; run < together; run += 1) {
      await model.run();
      model.release();
    }
    await model.run();
    const after = performance.now();
    samples.push(Math.round(((after - before) * NS_PER_MS) / together));
    model.release();
  }
  return samples;
}

/** Return how many runs make one sample on a clock with that step. */
export function runsPerSample(warmup: readonly number[], clockNs: number): number {
  return Math.max(1, Math.ceil(clockNs / CLOCK_SHARE / Math.max(mean(warmup), 1)));
}

/** Run the model as often and as long as the plan says, at least once. */
export async function timedWarmup(model: BoundModel, plan: Plan): Promise<number[]> {
  const end = nowNs() + plan.warmup_s * NS_PER_S;
  const samples = await timedBlock(model, Math.max(plan.warmup_runs, 1));
  while (nowNs() < end) samples.push(...(await timedBlock(model, 1)));
  return samples;
}

/** Return A B C C B A for A B C, so that a drift of the machine affects all of them alike. */
export function palindrome<T>(items: readonly T[]): T[] {
  return [...items, ...items.toReversed()];
}

/** Return the order of the blocks in one round. */
export function roundOrder<T>(models: readonly T[], plan: Plan): T[] {
  return plan.rounds ? palindrome(models) : [...models];
}

/** How many rounds there are, and how many runs a block of each model has. */
export interface Blocks {
  readonly rounds: number;
  readonly runs: ReadonlyMap<string, number>;
}

/**
 * Return the blocks of models that are measured beside each other, from their warm-ups.
 * clockNs: the clock's step; if it is near a run's length, only the mean of many runs counts.
 */
export function planBlocks(
  plan: Plan,
  warmups: ReadonlyMap<string, readonly number[]>,
  clockNs = 0,
): Blocks {
  const models = [...warmups].map(([id, samples]) => {
    const runS = fastestOf(samples, clockNs) / NS_PER_S;
    const forTime = Math.ceil(plan.min_s / runS);
    const shortest = Math.ceil(plan.block_s / runS);
    return { id, runS, forTime, shortest };
  });
  if (plan.rounds === 0 || models.length === 0) {
    return { rounds: 1, runs: new Map(models.map(({ id }) => [id, plan.min_runs])) };
  }
  const possible = models.map(({ forTime, shortest }) =>
    Math.floor(forTime / (2 * Math.max(shortest, plan.block_runs, 1))),
  );
  const rounds = Math.max(Math.min(...possible), plan.rounds);
  const runs = models.map(({ id, runS, forTime, shortest }): [string, number] => {
    const least = Math.max(plan.min_runs, forTime);
    const wanted = plan.max_s ? Math.min(least, Math.floor(plan.max_s / runS)) : least;
    return [id, Math.max(shortest, Math.ceil(wanted / (2 * rounds)), 1)];
  });
  return { rounds, runs: new Map(runs) };
}

/** Return the fastest run, so that a block lasts block_s even if the model gets faster still. */
function fastestOf(warmup: readonly number[], clockNs: number): number {
  const least = warmup.reduce((shortest, ns) => Math.min(shortest, ns));
  return Math.max(least < clockNs / CLOCK_SHARE ? mean(warmup) : least, 1);
}

function mean(samples: readonly number[]): number {
  return samples.reduce((total, ns) => total + ns, 0) / samples.length;
}
