import assert from 'node:assert/strict';
import test from 'node:test';
import { backendLabel } from '../src/demo/site/choices.ts';
import type { Backend } from '../src/engines/common/engine.ts';
import { inputFor } from '../src/engines/common/inputs.ts';
import { Loss } from '../src/engines/common/loss.ts';
import { ENGINES } from '../src/engines/known.ts';
import { EngineError, firstLine, mapErrors } from '../src/protocol/errors.ts';
import { VECTORS } from './vectors.ts';

test('Python says the same of the engines and of their back ends', () => {
  const known = Object.entries(ENGINES).map(([name, { label, format, backends }]) => [
    name,
    { label, format, backends },
  ]);
  assert.deepEqual(Object.fromEntries(known), VECTORS.page_engines);
  for (const [backend, label] of Object.entries(VECTORS.backends))
    assert.equal(backendLabel({ backend: backend as Backend, threads: 1 }), label);
});

test('a message is the first line that says something, shortened', () => {
  assert.equal(firstLine(new Error('\n  one\ntwo')), 'one');
  assert.equal(firstLine(new TypeError('')), 'TypeError');
  assert.equal(firstLine('text'), 'text');
  assert.equal(firstLine(new Error('x'.repeat(400))).length, 300);
});

test('errors of libraries become ours, and ours stay', async () => {
  const failing = (error: Error) => () => Promise.reject(error);
  await assert.rejects(mapErrors('It fails', failing(new RangeError('far'))), {
    name: 'EngineError',
    message: 'It fails: far',
  });
  await assert.rejects(mapErrors('It fails', failing(new EngineError('ours'))), {
    message: 'ours',
  });
});

test('an input that is missing or does not fit is named before a runtime meets it', () => {
  const spec = { name: 'x', dtype: 'float32', shape: [null, 2] };
  const fits = { dtype: 'float32', shape: [3, 2], data: new Float32Array(6) } as const;
  assert.equal(inputFor(spec, { x: fits }), fits);
  assert.throws(() => inputFor(spec, {}), { message: "The model's input 'x' is missing." });
  const wrongs = [
    { ...fits, shape: [2, 3] },
    { ...fits, shape: [6] },
    { ...fits, data: new Float32Array(5) },
    { ...fits, dtype: 'int32', data: new Int32Array(6) } as const,
  ];
  for (const x of wrongs)
    assert.throws(() => inputFor(spec, { x }), /takes x: float32\[\?, 2\], and was/);
});

test('a lost context fails the work at hand, and all that comes after', async () => {
  const canvas = new EventTarget();
  const context = { canvas, isContextLost: () => false } as unknown as WebGLRenderingContext;
  const loss = new Loss();
  loss.watchContext(context);
  assert.equal(await loss.guard(async () => 1), 1);
  const waiting = loss.guard(() => new Promise(() => {}));
  canvas.dispatchEvent(new Event('webglcontextlost'));
  const lost = { name: 'EngineError', message: 'the WebGL context was lost' };
  await assert.rejects(waiting, lost);
  await assert.rejects(
    loss.guard(async () => 1),
    lost,
  );
});
