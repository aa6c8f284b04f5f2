// The times of predictions: kept, summed up and drawn as a histogram.

import { time } from '../numbers/format.ts';
import { median, summarize } from '../numbers/statistics.ts';

const MOST_SAMPLES = 1000;
const BINS = 24;
const WIDTH = 240;
const HEIGHT = 64;
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

/** Draw the histogram, with lines at the median and at the 90 % point. */
export function drawHistogram(parent: HTMLElement, samples: readonly number[]): void {
  if (samples.length === 0) {
    parent.replaceChildren();
    return;
  }
  const { from, to, counts, isOpen } = binSamples(samples);
  const { median: middle, p90 } = summarize(samples);
  const svg = element('svg', {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: 'none',
    role: 'img',
    'aria-label': `Histogram of ${samples.length} runs from ${time(from)} to ${time(Math.max(...samples))}`,
  });
  const step = WIDTH / BINS;
  const most = Math.max(...counts);
  for (const [index, count] of counts.entries()) {
    if (count === 0) continue;
    const height = Math.max(2, (count / most) * HEIGHT);
    svg.append(
      element('rect', {
        x: `${index * step + 0.5}`,
        y: `${HEIGHT - height}`,
        width: `${step - 1}`,
        height: `${height}`,
      }),
    );
  }
  svg.append(line('axis', 0, HEIGHT, WIDTH, HEIGHT));
  for (const value of [middle, p90]) {
    const x = Math.min(1, (value - from) / (to - from)) * WIDTH;
    svg.append(line('mark', x, 0, x, HEIGHT));
  }
  parent.replaceChildren(svg, ends(time(from), isOpen ? `${time(to)} and more` : time(to)));
}

function ends(...texts: readonly string[]): HTMLElement {
  const row = document.createElement('p');
  row.className = 'ends small';
  for (const text of texts) {
    const word = document.createElement('span');
    word.textContent = text;
    row.append(word);
  }
  return row;
}

const line = (name: string, x1: number, y1: number, x2: number, y2: number) =>
  element('line', {
    class: name,
    x1: `${x1}`,
    y1: `${y1}`,
    x2: `${x2}`,
    y2: `${y2}`,
    'vector-effect': 'non-scaling-stroke',
  });

function element(tag: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
