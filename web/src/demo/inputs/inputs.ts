// Where the visitor gives the model something, in a way that suits the model's input.

import type { Tensor, Tensors } from '../../protocol/tensors.ts';
import { significant } from '../numbers/format.ts';
import { make } from '../page/dom.ts';
import type { Input } from '../site/golden.ts';
import type { Site, SiteTensor } from '../site/site.ts';
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
): InputView {
  const { picture, inputs } = site;
  const [spec] = inputs;
  if (!picture || !spec) return { show: (input) => describe(parent, input) };
  const take = (values: Float32Array<ArrayBuffer>) =>
    changed({ [spec.name]: tensorOf(values, spec) });
  const view = picture.drawing
    ? new Pad(parent, picture, picture.drawing, (values) => {
        void (values ? take(values) : changed(null));
      })
    : new ImageInput(parent, picture, take);
  return { show: (input) => view.show(input.tensors[spec.name]?.data as ArrayLike<number>) };
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
