// The worker: runs models outside of the page's own thread, each on one engine and back end.

import { download } from '../../engines/common/download.ts';
import type { Model } from '../../engines/common/engine.ts';
import { ENGINES } from '../../engines/known.ts';
import { startEngine } from '../../engines/start.ts';
import { firstLine } from '../../protocol/errors.ts';
import type { Tensors } from '../../protocol/tensors.ts';
import { NS_PER_MS, timed } from '../../worker/timing.ts';
import type {
  Answers,
  DescribeRequest,
  FromWorker,
  OpenRequest,
  Ran,
  RunRequest,
  ToWorker,
} from './messages.ts';

let model: Model | null = null;

async function open(request: OpenRequest): Promise<Answers['open']> {
  const { engine: name, backend, threads } = request;
  // Both at once, so that the visitor waits only for the slower one.
  const downloading = timed(() => download(ENGINES[name].format, request.url, request.hashes));
  downloading.catch(() => {});
  const [engine, startNs] = await timed(() => startEngine(name, backend, threads));
  const [files, downloadNs] = await downloading;
  const [loaded, loadNs] = await timed(() => engine.load(files, request.options));
  model = loaded;
  return { inputs: loaded.inputs, startNs, downloadNs, loadNs };
}

async function run({ inputs, times, limitMs }: RunRequest): Promise<Ran> {
  if (!model) throw new Error('no model is open');
  const samples: number[] = [];
  const end = performance.now() + limitMs;
  for (;;) {
    const [outputs, ns] = await sample(model, inputs);
    samples.push(ns);
    if (samples.length >= times || performance.now() >= end) return { outputs, samples };
  }
}

/** Clocks move in steps of .1 ms, some of 1 ms: shorter runs are timed together for this many. */
const STEPS_A_SAMPLE = 10;
let leastMs: number | null = null;

/** The outputs for the inputs, and the mean ns over as many runs as the clock needs. */
async function sample(running: Model, inputs: Tensors): Promise<[outputs: Tensors, ns: number]> {
  const isFirst = leastMs === null;
  leastMs ??= STEPS_A_SAMPLE * clockStep();
  const before = performance.now();
  for (let runs = 1; ; runs += 1) {
    const outputs = await running.run(inputs);
    const ms = performance.now() - before;
    if (isFirst || ms >= leastMs) return [outputs, Math.round((ms * NS_PER_MS) / runs)];
  }
}

function clockStep(): number {
  const step = () => {
    const before = performance.now();
    let after = before;
    while (after === before) after = performance.now();
    return after - before;
  };
  return Math.min(step(), step(), step());
}

/** The facts about this machine without which a time means nothing, and what was downloaded. */
async function describe({ engine, backend }: DescribeRequest): Promise<Answers['describe']> {
  const { describeEnvironment } = await import('../../worker/environment.ts');
  const models = [{ id: engine, engine, path: '.', options: { backend } }];
  const preprocessing = { scale: 1, mean: [], std: [], resize: null };
  const job = { schema: 1, models, inputs: {}, preprocessing, plan: null, outputs: 0 } as const;
  const fetched = performance.getEntriesByType('resource').map((entry) => entry.name);
  return { facts: await describeEnvironment({ ...job, models }), fetched };
}

async function answer({ id, request }: ToWorker): Promise<void> {
  const post = (message: FromWorker) => postMessage(message);
  try {
    switch (request.kind) {
      case 'open':
        return post({ id, answer: await open(request) });
      case 'run':
        return post({ id, answer: await run(request) });
      case 'describe':
        return post({ id, answer: await describe(request) });
      case 'job': {
        const { runJob } = await import('../../worker/worker.ts');
        await runJob(request.job, (event) => post({ id, event }));
        return post({ id, answer: null });
      }
    }
  } catch (error) {
    post({ id, error: firstLine(error) });
  }
}

// One request after the other: an engine does one thing at a time.
let last: Promise<void> = Promise.resolve();

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  last = last.then(() => answer(data));
});
