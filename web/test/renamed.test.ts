// Artifacts whose tensors have other names than the bundle's.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Model } from '../src/engines/common/engine.ts';
import { inBundleNames } from '../src/engines/common/renamed.ts';
import type { Tensor, Tensors } from '../src/protocol/tensors.ts';

const X: Tensor = { dtype: 'float32', shape: [1, 2], data: Float32Array.of(1, 2) };

const run = async (inputs: Tensors) => ({ 'out/0': inputs['in:0']! });

const MODEL: Model = {
  inputs: [{ name: 'in:0', dtype: 'float32', shape: [1, 2] }],
  outputs: [{ name: 'out/0', dtype: 'float32', shape: [1, 2] }],
  run,
  bind: async (inputs) => ({ run: () => run(inputs), release: () => {} }),
  dispose: () => {},
};

test('tensors go by the names of the bundle', async () => {
  const names = { inputs: { 'in:0': 'x' }, outputs: { 'out/0': 'y' } };
  const model = inBundleNames(MODEL, names);
  assert.equal(model.inputs[0]?.name, 'x');
  assert.equal(model.outputs[0]?.name, 'y');
  assert.deepEqual(await model.run({ x: X }), { y: X });
  // What is timed answers by the artifact's own names.
  const bound = await model.bind({ x: X });
  assert.deepEqual(await bound.run(), { 'out/0': X });
});

test('a model that has these names is left alone', () => {
  assert.equal(inBundleNames(MODEL, undefined), MODEL);
});
