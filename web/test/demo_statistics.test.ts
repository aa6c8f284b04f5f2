// The demo page computes what edgekit/results computes (demo_vectors.py).
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import test from 'node:test';
import { FidelityAccumulator } from '../src/demo/numbers/fidelity.ts';
import {
  compare,
  type ProcessBlocks,
  student975,
  summarize,
} from '../src/demo/numbers/statistics.ts';
import type { EncodedArray } from '../src/protocol/generated/job.ts';
import type { Fidelity, Ratio, Statistics } from '../src/protocol/generated/results.ts';
import { decode, type Tensor } from '../src/protocol/tensors.ts';

interface Vectors {
  readonly summaries: readonly { readonly samples: number[]; readonly statistics: Statistics }[];
  readonly ratios: readonly {
    readonly candidate: ProcessBlocks[];
    readonly reference: ProcessBlocks[];
    readonly ratio: Ratio;
  }[];
  readonly student: readonly number[];
  readonly fidelities: readonly {
    readonly original: EncodedArray;
    readonly actual: EncodedArray;
    readonly fidelity: Fidelity;
  }[];
}

const own = '../.venv/bin/python';
const made = spawnSync(existsSync(own) ? own : 'python3', ['test/demo_vectors.py'], {
  encoding: 'utf8',
  maxBuffer: 2 ** 26,
});
assert.equal(made.status, 0, made.stderr);
const VECTORS: Vectors = JSON.parse(made.stdout);

/** Fail where numbers differ by more than rounding, or anything else at all. */
function assertClose(actual: unknown, expected: unknown, path = ''): void {
  if (typeof expected === 'number' && typeof actual === 'number') {
    const error = Math.abs(actual - expected);
    assert.ok(error <= 1e-9 * Math.max(1, Math.abs(expected)), `${path}: ${actual}, ${expected}`);
  } else if (expected !== null && typeof expected === 'object') {
    assert.deepEqual(Object.keys(actual as object).sort(), Object.keys(expected).sort(), path);
    for (const [key, value] of Object.entries(expected)) {
      assertClose((actual as Record<string, unknown>)[key], value, `${path}.${key}`);
    }
  } else {
    assert.equal(actual, expected, path);
  }
}

const part = ({ dtype, shape, data }: Tensor, from: number, to: number): Tensor => {
  const size = data.length / (shape[0] ?? 1);
  return { dtype, shape: [to - from, ...shape.slice(1)], data: data.slice(from * size, to * size) };
};

test('samples are summed up to the same figures', () => {
  assert.equal(VECTORS.summaries.length, 6);
  for (const { samples, statistics } of VECTORS.summaries) {
    assertClose(summarize(samples), statistics);
  }
});

test('ratios have the same value, interval and verdict', () => {
  const verdicts = new Set(VECTORS.ratios.map(({ ratio }) => ratio.verdict));
  assert.deepEqual([...verdicts].sort(), ['faster', 'not distinguishable', 'slower']);
  assert.ok(VECTORS.ratios.some(({ ratio }) => ratio.low === null));
  for (const { candidate, reference, ratio } of VECTORS.ratios) {
    assertClose(compare(candidate, reference), ratio);
  }
});

test('blocks without a counterpart are refused', () => {
  assert.throws(() => compare([[[1]]], [[]]), /1 blocks cannot be compared with 0/);
  assert.throws(() => compare([], []), /no processes/);
});

test('the quantiles of Student are the same, in the table and beyond', () => {
  VECTORS.student.forEach((value, index) => {
    assertClose(student975(index + 1), value);
  });
});

test('fidelity is judged by the same figures, with NaN, infinity and zeros too', () => {
  for (const { original, actual, fidelity } of VECTORS.fidelities) {
    const accumulator = new FidelityAccumulator({ y: decode(original) });
    const outputs = decode(actual);
    accumulator.add(0, { y: part(outputs, 0, 5) });
    accumulator.add(5, { y: part(outputs, 5, outputs.shape[0] ?? 0) });
    assertClose(accumulator.result(), fidelity);
  }
});

test('an output of another shape or name is refused in words', () => {
  const accumulator = new FidelityAccumulator({
    y: { dtype: 'float32', shape: [2, 3], data: new Float32Array(6) },
  });
  const output: Tensor = { dtype: 'float32', shape: [1, 2], data: new Float32Array(2) };
  assert.throws(() => accumulator.add(0, { y: output }), /'y' has shape \[1, 2\]/);
  assert.throws(() => accumulator.add(0, { z: output }), /no output 'y'; it has z/);
});
