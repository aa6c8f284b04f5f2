// The worker does real jobs, with TF.js on its cpu back end: what a browser adds is not needed here.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Event, Job, JobModel, Plan } from '../src/protocol/generated/job.ts';
import { decode } from '../src/protocol/tensors.ts';
import { Progress } from '../src/runner/progress.ts';
import { runJob } from '../src/worker/worker.ts';
import './navigator.ts';
import { served } from './tiny.ts';

const PLAN: Plan = {
  warmup_runs: 2,
  warmup_s: 0,
  block_s: 0,
  block_runs: 1,
  rounds: 1,
  min_runs: 4,
  min_s: 0,
  max_s: 0,
};
const CPU = { backend: 'cpu', threads: 1 };

type Parts = Partial<Omit<Job, 'models'>> & { readonly models: readonly Partial<JobModel>[] };

/** Run a job whose paths are relative to the server of tiny.ts; return its events. */
async function eventsOf({ models, inputs = { x: '/x.npy' }, ...parts }: Parts): Promise<Event[]> {
  const events: Event[] = [];
  await served(async (address) => {
    const job: Job = {
      schema: 1,
      models: models.map((model) => ({
        id: 'a',
        engine: 'tfjs',
        options: CPU,
        ...model,
        path: `${address}${model.path ?? '/product'}`,
      })),
      inputs: Object.fromEntries(
        Object.entries(inputs).map(([name, path]) => [name, `${address}${path}`]),
      ),
      preprocessing: { scale: 1, mean: [], std: [], resize: null },
      plan: null,
      outputs: 0,
      ...parts,
    };
    await runJob(job, (event) => {
      events.push(event);
    });
  });
  return events;
}

const told = (event: Event) => ('model' in event ? `${event.event} ${event.model}` : event.event);
const messages = (events: readonly Event[]) =>
  events.flatMap((event) => (event.event === 'error' ? [[event.model, event.message]] : []));

test('the events of a job come in the order of the Python worker', async () => {
  const events = await eventsOf({ models: [{ id: 'a' }, { id: 'b' }], plan: PLAN, outputs: 2 });
  assert.deepEqual(events.map(told), [
    'environment',
    ...['loading a', 'loaded a', 'first_run a', 'loading b', 'loaded b', 'first_run b'],
    // Who runs next is only said where another one was named last.
    ...['running a', 'outputs a', 'running b', 'outputs b'],
    ...['running a', 'block a', 'running b', 'block b'],
    ...['running a', 'running b', 'running a', 'block a', 'block b', 'block b', 'block a'],
    ...['running b'],
    'done',
  ]);
});

test('a model says what it takes and gives, and by which engine', async () => {
  const events = await eventsOf({ models: [{}], inputs: {} });
  assert.deepEqual(events.map(told), ['environment', 'loading a', 'loaded a', 'done']);
  const loaded = events.find((event) => event.event === 'loaded');
  assert.deepEqual(loaded?.inputs, [{ name: 'x', shape: [null, 2], dtype: 'float32' }]);
  assert.deepEqual(loaded?.outputs, [{ name: 'y', shape: [null, 2], dtype: 'float32' }]);
  assert.equal(loaded?.engine, 'tfjs');
  assert.equal(loaded?.engine_version, '4.22.0');
  for (const ns of [loaded?.ns, loaded?.start_ns, loaded?.download_ns]) {
    assert.ok(Number.isInteger(ns) && ns! >= 0);
  }
});

test('outputs are those of each sample, and not-a-number stays what it is', async () => {
  const events = await eventsOf({ models: [{}], outputs: -1 });
  const outputs = events.find((event) => event.event === 'outputs');
  assert.deepEqual(decode(outputs!.arrays.y!), {
    dtype: 'float32',
    shape: [3, 2],
    data: new Float32Array([1, 2, 3, 4, Number.NaN, Number.NaN]),
  });
});

test('samples are preprocessed on the way', async () => {
  const preprocessing = { scale: 2, mean: [1, 1], std: [], resize: null };
  const events = await eventsOf({ models: [{}], outputs: 1, preprocessing });
  const outputs = events.find((event) => event.event === 'outputs');
  assert.deepEqual([...decode(outputs!.arrays.y!).data], [1 - 3, 2 - 4]);
});

test('a model that cannot be downloaded is one error, and the others go on', async () => {
  const events = await eventsOf({ models: [{ id: 'gone', path: '/gone' }, {}], outputs: 1 });
  const [[model, message]] = messages(events) as [[string, string]];
  assert.equal(model, 'gone');
  assert.match(message, /\/gone\/model\.json could not be downloaded: the server answered 404$/);
  assert.ok(events.map(told).includes('outputs a'));
  assert.equal(events.at(-1)?.event, 'done');
});

test('a model whose outputs are not the same after the timing is an error', async () => {
  const events = await eventsOf({ models: [{ id: 'random', path: '/noise' }, {}], plan: PLAN });
  const [[model, message]] = messages(events) as [[string, string]];
  assert.equal(model, 'random');
  assert.match(message, /not the same after the timing/);
});

test('samples that do not fit the model are an error in plain words', async () => {
  const events = await eventsOf({ models: [{}], inputs: { x: '/three.npy' } });
  assert.deepEqual(messages(events), [
    ['a', "The model takes x: float32[?, 2], and a sample of 'x' is [1, 3]."],
  ]);
});

test('data that cannot be read is an error of the job', async () => {
  const events = await eventsOf({ models: [{}], inputs: { x: '/gone.npy' } });
  assert.deepEqual(events.map(told), ['environment', 'error null', 'done']);
  assert.match(
    messages(events)[0]![1]!,
    /^The data of input 'x' cannot be read: .*\/gone\.npy could not/,
  );
});

test('an engine or a back end that is not there is an error that names those that are', async () => {
  const events = await eventsOf({
    models: [
      { id: 'engine', engine: 'litert' },
      { id: 'second', options: { backend: 'wasm' } },
      { id: 'backend', engine: 'litertjs', options: { backend: 'cpu' } },
      { id: 'webgl', engine: 'ort-web', options: { backend: 'webgl' } },
    ],
  });
  assert.deepEqual(messages(events), [
    ['engine', "There is no engine 'litert' in the browser. There are: tfjs, litertjs, ort-web."],
    ['second', 'TF.js runs on cpu in this page and cannot run on wasm too.'],
    ['backend', "LiteRT.js has no back end 'cpu'. It has: wasm, webgpu."],
    ['webgl', 'onnxruntime-web cannot use webgl: this browser gives no WebGL context.'],
  ]);
});

test('the progress of a job goes on to its end', async () => {
  const models = [{ id: 'a' }, { id: 'b' }];
  const events = await eventsOf({ models, plan: PLAN, outputs: 2 });
  const progress = new Progress({ models, plan: PLAN, outputs: 2 } as unknown as Job);
  const shares = events.slice(0, -1).map((event) => {
    progress.note(event);
    return progress.share;
  });
  assert.deepEqual(
    shares,
    shares.toSorted((a, b) => a - b),
  );
  assert.equal(shares[0], 0);
  assert.equal(shares.at(-1), 1);
});
