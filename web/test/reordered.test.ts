// Artifacts whose tensors have another order of axes than the bundle's.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Model } from '../src/engines/common/engine.ts';
import { inBundleOrder, reordered } from '../src/engines/common/reordered.ts';
import type { Tensors } from '../src/protocol/tensors.ts';

const SPEC = { dtype: 'float32', shape: [null, 3, 2, 4] };
const ORDER = [0, 3, 1, 2];

function counting(size: number) {
  return Float32Array.from({ length: size }, (_, index) => index);
}

function model(seen: Tensors[]): Model {
  const run = async (inputs: Tensors) => {
    seen.push(inputs);
    return { mask: inputs.image! };
  };
  return {
    inputs: [{ name: 'image', ...SPEC }],
    outputs: [{ name: 'mask', ...SPEC }],
    run,
    bind: async (inputs) => ({ run: () => run(inputs), release: () => {} }),
    dispose: () => {},
  };
}

test('axes are moved as numpy moves them', () => {
  const image = { dtype: 'float32', shape: [1, 2, 4, 3], data: counting(24) } as const;
  const first = reordered(image, ORDER);
  assert.deepEqual(first.shape, [1, 3, 2, 4]);
  // Channel by channel.
  assert.deepEqual([...first.data.subarray(0, 8)], [0, 3, 6, 9, 12, 15, 18, 21]);
  assert.deepEqual(reordered(first, [0, 2, 3, 1]), image);
});

test('an artifact is handed the sample of the bundle and answers in its order', async () => {
  const seen: Tensors[] = [];
  const axes = { image: ORDER, mask: ORDER };
  const wrapped = inBundleOrder(model(seen), axes);
  assert.deepEqual(wrapped.inputs[0]!.shape, [null, 2, 4, 3]);
  const image = { dtype: 'float32', shape: [1, 2, 4, 3], data: counting(24) } as const;
  const { mask } = await wrapped.run({ image });
  assert.deepEqual(mask, image);
  assert.deepEqual(seen[0]!.image!.shape, [1, 3, 2, 4]);
  const bound = await wrapped.bind({ image });
  assert.deepEqual((await bound.run()).mask!.shape, [1, 3, 2, 4]);
});

test('a model without another order is left alone', () => {
  const plain = model([]);
  assert.equal(inBundleOrder(plain, undefined), plain);
  assert.equal(inBundleOrder(plain, {}), plain);
});

test('axes that do not fit are an error', () => {
  assert.throws(() => inBundleOrder(model([]), { image: [0, 2, 1] }), /do not fit image/);
});
