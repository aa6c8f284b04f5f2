// Where the visitor gives the model something, in a way that suits the model's input.

import type { Tensor, Tensors } from '../../protocol/tensors.ts';
import { significant } from '../numbers/format.ts';
import { make } from '../page/dom.ts';
import type { Input } from '../site/golden.ts';
import type { Picture, Site, SiteTensor } from '../site/site.ts';
import { ImageInput } from './image-input.ts';
import { Pad } from './pad.ts';

/** Shows an input that came from elsewhere: a sample. */
export interface InputView {
  show(input: Input): void;
}

/** changed: called with what the visitor gave, or null if it was taken away. */
export function showInput(
  parent: HTMLElement,
  site: Site,
  changed: (tensors: Tensors | null) => Promise<void>,
  say: (text: string, isAlarm?: boolean) => void,
): InputView {
  const { picture, inputs } = site;
  const [spec] = inputs;
  if (!picture || !spec) return { show: (input) => describe(parent, input) };
  const tensors = (values: Float32Array<ArrayBuffer>): Tensors => ({
    [spec.name]: tensorOf(values, spec),
  });
  const valuesOf = (input: Input) => input.tensors[spec.name]?.data as ArrayLike<number>;
  const place = pictureInput(parent, picture, tensors, changed, say);
  return { show: (input) => place.show(valuesOf(input)) };
}

function pictureInput(
  parent: HTMLElement,
  picture: Picture,
  tensors: (values: Float32Array<ArrayBuffer>) => Tensors,
  changed: (tensors: Tensors | null) => Promise<void>,
  say: (text: string, isAlarm?: boolean) => void,
): { show(values: ArrayLike<number>): void } {
  if (picture.drawing) {
    return new Pad(parent, picture, picture.drawing, (values) => {
      void changed(values && tensors(values));
    });
  }
  return new ImageInput(parent, picture, (values) => changed(tensors(values)), say);
}

/** A picture in the form of the stored samples: a model that takes integers gets whole numbers. */
function tensorOf(values: Float32Array<ArrayBuffer>, { dtype, sample }: SiteTensor): Tensor {
  return dtype.startsWith('float')
    ? { dtype: 'float32', shape: sample, data: values }
    : { dtype: 'int32', shape: sample, data: Int32Array.from(values, Math.round) };
}

/** Show inputs that are not pictures, in numbers. */
function describe(parent: HTMLElement, input: Input): void {
  const rows = Object.entries(input.tensors).map(([name, tensor]) => {
    const values = Array.from(tensor.data, Number);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const [least, most] = [
      values.reduce((a, b) => Math.min(a, b)),
      values.reduce((a, b) => Math.max(a, b)),
    ];
    const type = make('span', { class: 'small' }, `${tensor.dtype} [${tensor.shape.join(', ')}]`);
    return make(
      'tr',
      {},
      make('th', { scope: 'row' }, name, make('br'), type),
      ...[least, mean, most].map((value) => make('td', {}, significant(value))),
    );
  });
  const heads = ['Name', 'Least', 'Mean', 'Most'];
  parent.replaceChildren(
    make(
      'div',
      { class: 'table', role: 'region', 'aria-label': 'The sample', tabindex: '0' },
      make(
        'table',
        {},
        make(
          'thead',
          {},
          make('tr', {}, ...heads.map((head) => make('th', { scope: 'col' }, head))),
        ),
        make('tbody', {}, ...rows),
      ),
    ),
  );
}
