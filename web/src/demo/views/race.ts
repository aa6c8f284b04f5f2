// What the page shows of a race.

import { ENGINES } from '../../engines/known.ts';
import type { Lap } from '../measure/race.ts';
import { time } from '../numbers/format.ts';
import { byId, make } from '../page/dom.ts';
import { backendLabel, type Choice, choiceKey, placeLabel } from '../site/choices.ts';

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
