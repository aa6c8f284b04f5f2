// What an output tells, ready to be shown: classes as shares, anything else as numbers.

import type { SiteOutput } from '../site/site.ts';
import { argmax } from './fidelity.ts';

/** Outputs with more classes than this show their best few; site.py keeps room for as many. */
const MOST_BARS = 10;
const BARS_OF_MANY = 5;
const MOST_VALUES = 8;

/** A line. share: 0 to 1 for a class, and the number itself for a value. */
export interface Line {
  readonly label: string;
  readonly share: number;
  readonly original: number | null;
  readonly isTop: boolean;
}

/**
 * isClasses: lines are shares of classes. left: how many more lines there are. top: the best class.
 * originalTop: the original's best class. difference: the largest difference from the original's
 * figures, over the whole output.
 */
export interface Prediction {
  readonly name: string;
  readonly isClasses: boolean;
  readonly lines: readonly Line[];
  readonly left: number;
  readonly top: Line | null;
  readonly originalTop: Line | null;
  readonly difference: number | null;
}

/** Read one output of one sample. original: the original's answer to it, null where unknown. */
export function readOutput(
  output: SiteOutput,
  values: ArrayLike<number>,
  original: ArrayLike<number> | null,
  classes: readonly string[],
): Prediction {
  const isClasses = output.kind !== 'values';
  const figures = output.kind === 'scores' ? softmax(values) : Array.from(values);
  const others = original && (output.kind === 'scores' ? softmax(original) : Array.from(original));
  const best = isClasses ? argmax(figures) : -1;
  const line = (index: number): Line => ({
    label: (isClasses && classes[index]) || String(index),
    share: figures[index] ?? Number.NaN,
    original: others?.[index] ?? null,
    isTop: index === best,
  });
  const shown = chooseLines(figures, isClasses);
  return {
    name: output.name,
    isClasses,
    lines: shown.map(line),
    left: figures.length - shown.length,
    top: isClasses ? line(best) : null,
    originalTop: isClasses && others ? line(argmax(others)) : null,
    difference: others && largestDifference(figures, others),
  };
}

function chooseLines(figures: readonly number[], isClasses: boolean): number[] {
  const all = figures.map((_, index) => index);
  if (all.length <= (isClasses ? MOST_BARS : MOST_VALUES)) return all;
  all.sort((a, b) => (figures[b] ?? 0) - (figures[a] ?? 0));
  return all.slice(0, isClasses ? BARS_OF_MANY : MOST_VALUES);
}

function largestDifference(figures: readonly number[], others: readonly number[]): number {
  return figures.reduce(
    (most, value, index) => Math.max(most, Math.abs(value - (others[index] ?? Number.NaN))),
    0,
  );
}

/** Scores as shares that add up to 1. */
export function softmax(scores: ArrayLike<number>): number[] {
  const values = Array.from(scores, Number);
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = values.map((value) => Math.exp(value - most));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}
