// The two lists to choose from: the artifacts, and the engines and back ends that run them.

import { ENGINES } from '../../engines/known.ts';
import { bytes } from '../numbers/format.ts';
import { byId, make } from '../page/dom.ts';
import {
  type Choice,
  moveTo,
  placeFor,
  placeKey,
  placeLabel,
  placesOf,
  threadsHere,
} from '../site/choices.ts';
import { type Site, wireBytes } from '../site/site.ts';

export class Selects {
  readonly #artifacts = byId<HTMLSelectElement>('artifact');
  readonly #places = byId<HTMLSelectElement>('place');
  #choice: Choice | null = null;

  /** chosen: called with what the visitor chose. */
  constructor(site: Site, chosen: (choice: Choice) => void) {
    for (const artifact of site.artifacts) {
      const text = `${artifact.id} · ${bytes(wireBytes(artifact))}`;
      this.#artifacts.append(make('option', { value: artifact.id }, text));
    }
    const places = placesOf(site, threadsHere());
    for (const engine of new Set(places.map((place) => place.engine))) {
      const options = places
        .filter((place) => place.engine === engine)
        .map((place) => make('option', { value: placeKey(place) }, placeLabel(place)));
      this.#places.append(make('optgroup', { label: ENGINES[engine].label }, ...options));
    }
    this.#artifacts.addEventListener('change', () => {
      const artifact = site.artifacts.find(({ id }) => id === this.#artifacts.value);
      if (artifact) chosen(placeFor(artifact, this.#choice));
    });
    this.#places.addEventListener('change', () => {
      const place = places.find((one) => placeKey(one) === this.#places.value);
      const choice = place && this.#choice && moveTo(place, this.#choice.artifact, site);
      if (choice) chosen(choice);
    });
  }

  /** Show a choice. */
  show(choice: Choice): void {
    this.#choice = choice;
    this.#artifacts.value = choice.artifact.id;
    this.#places.value = placeKey(choice);
  }

  enable(): void {
    this.#artifacts.disabled = false;
    this.#places.disabled = false;
  }
}
