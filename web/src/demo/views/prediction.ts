// What the page shows of a prediction.

import { difference as differenceText, percent, significant } from '../numbers/format.ts';
import type { Line, Prediction } from '../numbers/prediction.ts';
import { byId, make } from '../page/dom.ts';

/** How many letters of a class's name fit beside its bar; a tooltip shows the whole name. */
const WIDEST_LABEL = 20;
/** About the width of a letter; "ch" differs between the bold line and the others. */
const LETTER_EM = 0.6;

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
