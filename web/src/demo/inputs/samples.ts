// The golden samples as buttons, which show a picture or else a number.

import type { Tensor } from '../../protocol/tensors.ts';
import { make } from '../page/dom.ts';
import type { Picture } from '../site/site.ts';
import { drawValues } from './pixels.ts';

/** More than these nobody looks at; the rest serve "Measure all". */
const MOST_BUTTONS = 16;

export class SampleStrip {
  readonly #buttons: HTMLButtonElement[] = [];

  /** picture: null if the samples are not pictures. chosen: called with the number of a sample. */
  constructor(
    parent: HTMLElement,
    count: number,
    picture: Picture | null,
    chosen: (index: number) => void,
  ) {
    for (let index = 0; index < Math.min(count, MOST_BUTTONS); index += 1) {
      const button = make('button', {
        type: 'button',
        'aria-label': `Sample ${index + 1}`,
        'aria-pressed': 'false',
      });
      if (picture) {
        const [height, width] = picture.size;
        button.append(
          make('canvas', { width: String(width), height: String(height), class: 'pixels' }),
        );
      } else {
        button.append(String(index + 1));
      }
      button.addEventListener('click', () => chosen(index));
      this.#buttons.push(button);
    }
    parent.replaceChildren(...this.#buttons);
  }

  /** Show the pictures. samples: all of them along the first axis. */
  paint(samples: Tensor, picture: Picture): void {
    const size = samples.data.length / (samples.shape[0] ?? 1);
    for (const [index, button] of this.#buttons.entries()) {
      const canvas = button.querySelector('canvas');
      const values = samples.data.subarray(index * size, (index + 1) * size);
      if (canvas) drawValues(canvas, values as ArrayLike<number>, picture);
    }
  }

  /** Mark the sample that is the input now; null for none. */
  mark(chosen: number | null): void {
    for (const [index, button] of this.#buttons.entries()) {
      button.setAttribute('aria-pressed', String(index === chosen));
    }
  }
}
