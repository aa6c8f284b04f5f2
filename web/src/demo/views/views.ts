// What the page shows of a prediction, its time, a race and a size.

import { ENGINES } from '../../engines/known.ts';
import type { EnvironmentEvent } from '../../protocol/generated/job.ts';
import type { Lap } from '../measure/race.ts';
import {
  bytes,
  difference as differenceText,
  percent,
  significant,
  time,
} from '../numbers/format.ts';
import type { Line, Prediction } from '../numbers/prediction.ts';
import { summarize } from '../numbers/statistics.ts';
import { byId, make } from '../page/dom.ts';
import type { Session } from '../session/session.ts';
import { backendLabel, type Choice, choiceKey, placeLabel } from '../site/choices.ts';
import {
  type Artifact,
  REFERENCE_RECIPE,
  referenceOf,
  type Site,
  wireBytes,
} from '../site/site.ts';
import { drawHistogram, type Latency } from './latency.ts';

/** How many letters of a class's name fit beside its bar; a tooltip shows the whole name. */
const WIDEST_LABEL = 20;
/** About the width of a letter; "ch" differs between the bold line and the others. */
const LETTER_EM = 0.6;

/** Say what is happening; an alarm is something that did not work. */
export function say(text: string, isAlarm = false): void {
  const status = byId('status');
  status.textContent = text;
  status.classList.toggle('alarm', isAlarm);
}

/** Show the outputs of one sample. */
export function showPredictions(predictions: readonly Prediction[]): void {
  const main = predictions.find((one) => one.top) ?? predictions[0];
  const [answer, note] = byId('answer').children;
  const [big, small] = main ? headline(main) : ['–', ''];
  setText(answer, big);
  setText(note, small);
  byId('outputs').replaceChildren(
    ...predictions.flatMap((one) => [
      ...(predictions.length > 1 ? [make('h3', { class: 'small' }, one.name)] : []),
      one.isClasses ? bars(one) : values(one),
      ...(one.left ? [make('p', { class: 'small' }, `and ${one.left} more`)] : []),
    ]),
  );
  byId('original').replaceChildren(...comparison(main));
}

/** The answer in a word, and what to say about it. */
function headline({ top, lines, left, name }: Prediction): [big: string, small: string] {
  const [first] = lines;
  if (top) return [top.label, percent(top.share)];
  if (first && lines.length === 1) return [significant(first.share), name];
  if (first && left) return [`No. ${first.label}`, `is the largest of ${lines.length + left}`];
  return [name, `${lines.length} values`];
}

/** Screen readers announce these texts, so they are set only if they change. */
function setText(element: Element | undefined, text: string): void {
  if (element && element.textContent !== text) element.textContent = text;
}

function bars(prediction: Prediction): HTMLElement {
  const longest = Math.max(...prediction.lines.map(({ label }) => label.length));
  const items = prediction.lines.map((line) =>
    make(
      'li',
      { class: line.isTop ? 'top' : '' },
      make('span', { class: 'label', title: line.label }, line.label),
      track(line),
      make('span', { class: 'value' }, percent(line.share)),
    ),
  );
  const list = make('ol', { class: 'bars' }, ...items);
  list.style.setProperty('--label', `${LETTER_EM * (Math.min(longest, WIDEST_LABEL) + 1)}em`);
  return list;
}

function track({ share, original }: Line): HTMLElement {
  const bar = make('i');
  bar.style.width = `${100 * share}%`;
  const box = make('span', { class: 'track' }, bar);
  if (original !== null) {
    const mark = make('b');
    mark.style.left = `${100 * original}%`;
    box.append(mark);
  }
  return box;
}

function values(prediction: Prediction): HTMLElement {
  const hasOriginal = prediction.lines.some(({ original }) => original !== null);
  const heads = ['', 'this artifact', ...(hasOriginal ? ['the original', 'difference'] : [])];
  const rows = prediction.lines.map(({ label, share, original }) =>
    make(
      'tr',
      {},
      make('th', { scope: 'row' }, label),
      make('td', {}, significant(share)),
      ...(hasOriginal
        ? [
            make('td', {}, significant(original ?? Number.NaN)),
            make('td', {}, differenceText(share - (original ?? Number.NaN))),
          ]
        : []),
    ),
  );
  return make(
    'table',
    {},
    make('thead', {}, make('tr', {}, ...heads.map((head) => make('th', { scope: 'col' }, head)))),
    make('tbody', {}, ...rows),
  );
}

function comparison(prediction: Prediction | undefined): (Node | string)[] {
  const { top, originalTop, difference } = prediction ?? {};
  if (difference === null || difference === undefined) return [];
  if (!top || !originalTop)
    return [`Largest difference from the original: ${differenceText(difference)}.`];
  const points = differenceText(100 * difference).replace('< ', '');
  const verdict = top.label === originalTop.label ? 'The same answer' : 'A different answer';
  return [
    make('i', { class: 'original-mark' }),
    `The original says ${originalTop.label}, ${percent(originalTop.share)}. `,
    `${verdict}; no share differs by more than ${points} points.`,
  ];
}

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

/** Show what this machine is; nothing if it does not tell. */
export function showMachine(facts: EnvironmentEvent | null): void {
  const { browser, logical_cores: cores, renderer, software_renderer: isSoftware } = facts ?? {};
  const drawn = renderer && `WebGL by ${renderer}${isSoftware ? ', which is software' : ''}`;
  const words = [browser, cores && `${cores} cores`, drawn].filter(Boolean);
  byId('machine').textContent = words.length ? `This is ${words.join('; ')}.` : '';
}

/** Show how large the artifact is beside fp32. */
export function showSize(artifact: Artifact, site: Site): void {
  const reference = referenceOf(artifact, site);
  const size = wireBytes(artifact);
  const share = reference ? size / wireBytes(reference) : null;
  byId('size').textContent = bytes(size);
  byId('size-share').textContent = share === null ? '–' : percent(share);
  byId('size-bar').style.width = `${100 * Math.min(1, share ?? 0)}%`;
  const isReference = artifact.recipe === REFERENCE_RECIPE;
  byId('size-note').textContent = reference
    ? isReference
      ? `This is fp32 itself: ${bytes(artifact.bytes)}, compressed with brotli for the download.`
      : `fp32 is ${bytes(wireBytes(reference))}; both compressed with brotli, as web servers send them.`
    : `The bundle has no ${artifact.format}/${REFERENCE_RECIPE} to compare with.`;
}

/** Show a race, finished or not. */
export function showRace(
  laps: readonly Lap[],
  chosen: Choice,
  running: Choice | null,
  note: string,
): void {
  const isOneArtifact = new Set(laps.map(({ choice }) => choice.artifact.id)).size <= 1;
  const slowest = Math.max(...laps.map(({ ns }) => ns ?? 0), 1);
  const items = laps.map(({ choice, ns, reason }) => {
    const bar = make('i');
    bar.style.width = `${(100 * (ns ?? 0)) / slowest}%`;
    return make(
      'li',
      {
        class: choiceKey(choice) === choiceKey(chosen) ? 'chosen' : '',
        ...(reason ? { title: reason } : {}),
      },
      make('span', {}, isOneArtifact ? placeLabel(choice) : lapLabel(choice)),
      make('span', {}, ns === null ? 'cannot run it' : time(ns)),
      make('span', { class: 'track' }, bar),
    );
  });
  byId('race').replaceChildren(...items);
  byId('race-note').textContent = running ? `Racing ${placeLabel(running)}.` : note;
}

const lapLabel = (choice: Choice): string =>
  `${ENGINES[choice.engine].label} ${backendLabel(choice)}, ${choice.artifact.recipe}`;
