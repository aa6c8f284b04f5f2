// What the page shows of the times of predictions.

import { time } from '../numbers/format.ts';
import { binSamples, type Latency } from '../numbers/latency.ts';
import { summarize } from '../numbers/statistics.ts';
import { byId, make } from '../page/dom.ts';
import type { Session } from '../session/session.ts';
import { placeLabel } from '../site/choices.ts';

/** The size of the histogram, in its own units: it is stretched to the width of the page. */
const WIDTH = 240;
const HEIGHT = 64;

/** Show the times of the current model. */
export function showLatency({ samples }: Latency, { choice, firstNs }: Session): void {
  const summary = samples.length ? summarize(samples) : null;
  byId('median').textContent = summary ? time(summary.median) : '–';
  byId('p90').textContent = summary ? time(summary.p90) : '–';
  byId('first-run').textContent = firstNs === null ? '–' : time(firstNs);
  drawHistogram(byId('histogram'), samples);
  byId('latency-note').textContent = summary
    ? `${summary.runs} runs on ${placeLabel(choice)}, each with its input copied in and its answer read back.`
    : '';
}

/** Draw the histogram, with lines at the median and at the 90 % point. */
function drawHistogram(parent: HTMLElement, samples: readonly number[]): void {
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
  const step = WIDTH / counts.length;
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

const ends = (...texts: readonly string[]): HTMLElement =>
  make('p', { class: 'ends small' }, ...texts.map((text) => make('span', {}, text)));

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
