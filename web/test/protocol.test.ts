// The page computes what the Python side computes.
import assert from 'node:assert/strict';
import test from 'node:test';
import { DataError } from '../src/protocol/errors.ts';
import { readNpy } from '../src/protocol/npy.ts';
import {
  asArray,
  castLosslessly,
  decode,
  encode,
  isBatched,
  preprocess,
  stack,
  unbatch,
} from '../src/protocol/tensors.ts';
import { planBlocks, roundOrder, runsPerSample } from '../src/worker/timing.ts';
import { sameOutputs } from '../src/worker/worker.ts';
import { bytes, VECTORS } from './vectors.ts';

test('npy files of every dtype are read as numpy wrote them, float16 as float32', () => {
  assert.equal(VECTORS.npy.length, 12);
  for (const { file, array } of VECTORS.npy) assert.deepEqual(encode(readNpy(bytes(file))), array);
});

test('an npy file that starts at an odd byte is read too', () => {
  for (const { file, array } of VECTORS.npy) {
    const moved = new Uint8Array([0, ...bytes(file)]).subarray(1);
    assert.deepEqual(encode(readNpy(moved)), array);
  }
});

test('what is not an npy file, or half of one, or in another order is refused', () => {
  const { file } = VECTORS.npy[0]!;
  const refused = (data: Uint8Array<ArrayBuffer>, message: RegExp) =>
    assert.throws(
      () => readNpy(data),
      (error) => error instanceof DataError && message.test(error.message),
    );
  const edited = (from: string, to: string) =>
    Uint8Array.from(
      Buffer.from(Buffer.from(bytes(file)).toString('latin1').replace(from, to), 'latin1'),
    );
  refused(new TextEncoder().encode('<!doctype html>'), /not a \.npy/);
  refused(bytes(file).slice(0, -1), /cut off/);
  refused(edited("'fortran_order': False", "'fortran_order': True "), /Fortran order/);
  refused(edited('<f4', '<c8'), /type <c8/);
});

test('samples are preprocessed to the same float32 numbers', () => {
  for (const { preprocessing, sample, array } of VECTORS.preprocess) {
    assert.deepEqual(encode(preprocess(decode(sample), preprocessing, 'float32', 'x')), array);
  }
});

test('a mean of another number of channels is refused', () => {
  const preprocessing = { scale: 1, mean: [1, 2], std: [], resize: null };
  const sample = decode(VECTORS.preprocess[0]!.sample);
  assert.throws(
    () => preprocess(sample, preprocessing, 'float32', 'x'),
    /'x' has 3 channels and the mean 2/,
  );
});

test('casts keep every value or fail with the same words', () => {
  for (const { sample, dtype, array, error } of VECTORS.cast) {
    const cast = () => castLosslessly(decode(sample), dtype, 'x');
    const label = `${sample.dtype} ${decode(sample).data} to ${dtype}`;
    if (array) assert.deepEqual(encode(cast()), array, label);
    else assert.throws(cast, { message: error }, label);
  }
});

test('blocks run in the same palindromic order', () => {
  for (const { models, plan, order } of VECTORS.round_order) {
    assert.deepEqual(roundOrder(models, plan), order);
  }
});

test('there are as many rounds, and blocks have as many runs', () => {
  for (const { plan, warmups, rounds, runs } of VECTORS.plan_blocks) {
    const found = planBlocks(plan, new Map(Object.entries(warmups)));
    const label = JSON.stringify({ plan, warmups });
    assert.deepEqual(
      { rounds: found.rounds, runs: Object.fromEntries(found.runs) },
      { rounds, runs },
      label,
    );
  }
});

const PLAN = VECTORS.plan_blocks[0]!.plan;

test('a hundred thousand warm-up runs can be counted', () => {
  const plan = { ...PLAN, block_s: 0.1 };
  const { runs } = planBlocks(plan, new Map([['a', new Array(200_000).fill(100_000)]]));
  assert.equal(runs.get('a'), 1000);
});

test('a clock coarser than a run makes neither an endless block nor a sample of one step', () => {
  const plan = { ...PLAN, block_s: 0.1 };
  const clockNs = 100_000;
  const warmup = [0, 0, 0, 100_000];
  assert.equal(planBlocks(plan, new Map([['a', warmup]]), clockNs).runs.get('a'), 4_000);
  assert.equal(runsPerSample(warmup, clockNs), 200);
  assert.equal(runsPerSample([10_000_000], clockNs), 1);
});

test('the same inputs count as batched', () => {
  for (const { shapes, batched } of VECTORS.is_batched) {
    const specs = shapes.map((shape) => ({ name: 'x', dtype: 'float32', shape: [...shape] }));
    assert.equal(isBatched(specs), batched, JSON.stringify(shapes));
  }
});

test('the same outputs count as the same, not-a-numbers and infinities among them', () => {
  for (const { before, after, same } of VECTORS.same_outputs) {
    const found = sameOutputs({ y: decode(before) }, { y: decode(after) });
    assert.equal(found, same, `${decode(before).data} and ${decode(after).data}`);
  }
});

test('outputs of several samples are stacked without their batch axes', () => {
  const one = { dtype: 'float32', shape: [1, 2], data: new Float32Array([1, 2]) } as const;
  const two = { ...one, data: new Float32Array([3, 4]) };
  const stacked = stack([unbatch(one, true), unbatch(two, true)]);
  assert.deepEqual(stacked, {
    dtype: 'float32',
    shape: [2, 2],
    data: new Float32Array([1, 2, 3, 4]),
  });
  assert.deepEqual(stack([one, two]).shape, [2, 1, 2]);
});

test('values that came in the array of another dtype are read as what they are', () => {
  const integers = Int32Array.of(0, 2, -1);
  assert.deepEqual(asArray('float32', integers), Float32Array.of(0, 2, -1));
  assert.equal(asArray('int32', integers), integers);
});
