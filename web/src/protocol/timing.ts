// The measuring loop: blocks of runs, in palindromic order. As edgekit_runtimes/timing.py.

import type { BoundModel } from '../engines/engine.ts';
import type { Plan } from './generated/job.ts';

export const NS_PER_MS = 1e6;
const NS_PER_S = 1e9;

/** Return the nanoseconds since the page was opened, as finely as the browser tells. */
export function nowNs(): number {
  return Math.round(performance.now() * NS_PER_MS);
}

/** Do the work; return what it gives and the nanoseconds that it took. */
export async function timed<T>(work: () => Promise<T>): Promise<[result: T, ns: number]> {
  const before = nowNs();
  const result = await work();
  return [result, nowNs() - before];
}

/** The clock's step may be this share of a sample: coarser, and medians jump from step to step. */
const CLOCK_SHARE = 0.02;

/**
 * Return so many samples: the nanoseconds of a run with its read-back, or the mean of `together`
 * runs, for a clock too coarse to time one.
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

/** Return how many runs make one sample under a clock of that step. */
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

/** Return A B C C B A for A B C: a drift of the machine meets all of them alike. */
export function palindrome<T>(items: readonly T[]): T[] {
  return [...items, ...items.toReversed()];
}

/** Return [round, model] for every measured block, in the order of time. */
export function blockOrder<T>(models: readonly T[], rounds: number): [round: number, model: T][] {
  if (rounds === 0) return models.map((model) => [0, model]);
  return Array.from({ length: rounds }, (_, round) => round).flatMap((round) =>
    palindrome(models).map((model): [number, T] => [round, model]),
  );
}

/**
 * Return how many runs a block has: the same number in every block of a model.
 * clockNs: the clock's step; one near a run's length tells only the mean of many.
 */
export function runsPerBlock(plan: Plan, warmup: readonly number[], clockNs = 0): number {
  // The fastest counts, so that a block is not shorter than block_s where the model gets faster.
  const least = warmup.reduce((shortest, ns) => Math.min(shortest, ns));
  const fastest = Math.max(least < clockNs / CLOCK_SHARE ? mean(warmup) : least, 1);
  const forDuration = Math.ceil((plan.block_s * NS_PER_S) / fastest);
  let forTotal = Math.ceil(plan.min_runs / Math.max(2 * plan.rounds, 1));
  if (plan.max_block_s) {
    forTotal = Math.min(forTotal, Math.floor((plan.max_block_s * NS_PER_S) / fastest));
  }
  return Math.max(forDuration, forTotal, 1);
}

function mean(samples: readonly number[]): number {
  return samples.reduce((total, ns) => total + ns, 0) / samples.length;
}
