// The worker: does one job and emits its events, as edgekit_runtimes/worker.py does.
//
// job.py lists the events in their order. This runs in a page, in a module worker and under Node.

import { download } from '../engines/common/download.ts';
import type { Backend, BoundModel, Model } from '../engines/common/engine.ts';
import type { EngineName } from '../engines/known.ts';
import { startEngine } from '../engines/start.ts';
import { DataError, EngineError, firstLine } from '../protocol/errors.ts';
import type { EnvironmentEvent, Event, Job, JobModel, Plan } from '../protocol/generated/job.ts';
import {
  encode,
  isBatched,
  stack,
  type Tensor,
  type Tensors,
  unbatch,
} from '../protocol/tensors.ts';
import { describeEnvironment } from './environment.ts';
import { Samples } from './samples.ts';
import { planBlocks, roundOrder, runsPerSample, timed, timedBlock, timedWarmup } from './timing.ts';

export type { Event, Job };

/** Takes an event. The worker waits for it, because the next step may crash the page. */
export type Emit = (event: Event) => void | Promise<void>;

// An outputs event carries about as many bytes before base64, or what came within this time: small
// enough to hold in memory twice, and slow models still show that they are alive.
const OUTPUT_CHUNK_BYTES = 1_000_000;
const OUTPUT_CHUNK_MS = 5_000;

// Outputs may move by this share of their largest magnitude between two runs on the same sample:
// threads add up in any order, while a dead context gives zeros or NaN.
const SAME_OUTPUT_TOLERANCE = 1e-3;

/** The options of a job that the page itself reads; the rest are the engine's. */
interface JobOptions {
  readonly backend?: Backend;
  readonly threads?: number;
}

/** Where a worker runs: a page, or Node. */
export interface Place {
  /** Return its facts. */
  environment(job: Job): Promise<EnvironmentEvent>;

  /** Return the most memory that the process has had; a page does not know. */
  peakMemoryBytes?(): number;
}

const PAGE: Place = { environment: describeEnvironment };

/** Do the whole job. A model that throws gets an error event and is left out from then on. */
export async function runJob(job: Job, emit: Emit, place = PAGE): Promise<void> {
  await new JobRun(job, emit, place).run();
}

/** A model of the job, ready to run on the job's samples. */
interface LoadedModel {
  readonly model: Model;
  readonly samples: Samples;
  readonly sample: (index: number) => Tensors;
  readonly batched: boolean;
}

class JobRun {
  readonly #job: Job;
  readonly #emit: Emit;
  readonly #place: Place;
  readonly #models = new Map<string, LoadedModel>();
  #clockNs = 0;
  #named: string | null = null;

  constructor(job: Job, emit: Emit, place: Place) {
    this.#job = job;
    this.#place = place;
    this.#emit = async (event) => {
      if ('model' in event && typeof event.model === 'string') this.#named = event.model;
      await emit(event);
    };
  }

  async run(): Promise<void> {
    const environment = await this.#place.environment(this.#job);
    this.#clockNs = environment.clock_resolution_ns ?? 0;
    await this.#emit(environment);
    await this.#guarded(null, async () => {
      const { inputs, preprocessing, plan } = this.#job;
      const hasInputs = Object.keys(inputs).length > 0;
      const samples = hasInputs ? await Samples.fetch(inputs, preprocessing) : null;
      for (const entry of this.#job.models) {
        await this.#guarded(entry.id, () => this.#load(entry, samples));
      }
      for (const [id, loaded] of [...this.#models]) {
        await this.#guarded(id, () => this.#reportOutputs(id, loaded));
      }
      if (plan) await this.#measure(plan);
    });
    const peak = this.#place.peakMemoryBytes?.();
    await this.#emit({ event: 'done', ...(peak ? { peak_memory_bytes: peak } : {}) });
  }

  async #guarded(id: string | null, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (id !== null) this.#models.delete(id);
      const isOurs = error instanceof EngineError || error instanceof DataError;
      const name = error instanceof Error && !isOurs ? `${error.name}: ` : '';
      await this.#emit({ event: 'error', model: id, message: name + firstLine(error) });
    }
  }

  /** Say which model runs next, unless it was named last: a crash is blamed on that one. */
  async #announce(id: string): Promise<void> {
    if (this.#named !== id) await this.#emit({ event: 'running', model: id });
  }

  async #load(entry: JobModel, samples: Samples | null): Promise<void> {
    const { id, options } = entry;
    await this.#emit({ event: 'loading', model: id });
    const { backend = null, threads = 1 } = options as JobOptions;
    const [engine, startNs] = await timed(() =>
      startEngine(entry.engine as EngineName, backend, threads),
    );
    const [files, downloadNs] = await timed(() => download(engine.format, entry.path));
    const [model, loadNs] = await timed(() => engine.load(files, options));
    await this.#emit({
      event: 'loaded',
      model: id,
      ns: loadNs,
      start_ns: startNs,
      download_ns: downloadNs,
      engine: engine.name,
      engine_version: engine.version,
      inputs: [...model.inputs],
      outputs: [...model.outputs],
    });
    if (!samples) return;
    const names = samples.namesFor(model.inputs);
    const batched = isBatched(model.inputs);
    const sample = (index: number) => samples.pick(index, model.inputs, names, batched);
    const [ns] = await timedBlock(await model.bind(sample(0)), 1);
    await this.#emit({ event: 'first_run', model: id, ns: ns! });
    this.#models.set(id, { model, samples, sample, batched });
  }

  async #reportOutputs(id: string, loaded: LoadedModel): Promise<void> {
    const { outputs: asked } = this.#job;
    const count = asked < 0 ? loaded.samples.count : Math.min(asked, loaded.samples.count);
    if (count > 0) await this.#announce(id);
    let results: Tensors[] = [];
    let bytes = 0;
    let shapes: string | null = null;
    let sent = performance.now();
    for (let index = 0; index < count; index += 1) {
      const outputs = await loaded.model.run(loaded.sample(index));
      const found = shapesOf(outputs);
      shapes ??= found;
      if (found !== shapes) {
        throw new EngineError(
          `The shapes of the outputs change from sample to sample: ${shapes} for the first, ` +
            `${found} for number ${index}. Such outputs cannot be compared.`,
        );
      }
      results.push(outputs);
      for (const { data } of Object.values(outputs)) bytes += data.byteLength;
      const late = performance.now() - sent >= OUTPUT_CHUNK_MS;
      if (bytes >= OUTPUT_CHUNK_BYTES || late || index === count - 1) {
        const arrays = Object.keys(outputs).map((name) => {
          const tensors = results.map((result) => unbatch(result[name]!, loaded.batched));
          return [name, encode(stack(tensors))];
        });
        await this.#emit({
          event: 'outputs',
          model: id,
          start: index + 1 - results.length,
          arrays: Object.fromEntries(arrays),
        });
        results = [];
        bytes = 0;
        sent = performance.now();
      }
    }
  }

  async #measure(plan: Plan): Promise<void> {
    const bound = new Map<string, BoundModel>();
    const warmups = new Map<string, number[]>();
    const before = new Map<string, Tensors>();
    for (const [id, { model, sample }] of [...this.#models]) {
      await this.#guarded(id, async () => {
        before.set(id, await model.run(sample(0)));
        const ready = await model.bind(sample(0));
        bound.set(id, ready);
        await this.#announce(id);
        const samples = await timedWarmup(ready, plan);
        warmups.set(id, samples);
        const [round, rounds] = [0, 1];
        await this.#emit({ event: 'block', model: id, phase: 'warmup', round, rounds, samples });
      });
    }
    const { rounds, runs } = planBlocks(plan, warmups, this.#clockNs);
    const timeBlock = (id: string) => {
      const together = runsPerSample(warmups.get(id)!, this.#clockNs);
      return timedBlock(bound.get(id)!, Math.ceil(runs.get(id)! / together), together);
    };
    for (let round = 0; round < rounds; round += 1) {
      // Reported only when the round is over: nothing else may run between its blocks.
      const blocks: [id: string, samples: number[]][] = [];
      for (const id of roundOrder([...this.#models.keys()], plan)) {
        if (!this.#models.has(id)) continue;
        await this.#guarded(id, async () => {
          await this.#announce(id);
          blocks.push([id, await timeBlock(id)]);
        });
      }
      for (const [id, samples] of blocks) {
        if (!this.#models.has(id)) continue;
        await this.#emit({ event: 'block', model: id, phase: 'measure', round, rounds, samples });
      }
    }
    for (const [id, { model, sample }] of [...this.#models]) {
      await this.#guarded(id, async () => {
        await this.#announce(id);
        if (!sameOutputs(before.get(id)!, await model.run(sample(0)))) {
          throw new EngineError(
            'The outputs for the first sample are not the same after the timing as before it: ' +
              'the model is random, or broke down, and its times are void.',
          );
        }
      });
    }
  }
}

function shapesOf(outputs: Tensors): string {
  return Object.entries(outputs)
    .map(([name, { shape }]) => `${name} [${shape.join(', ')}]`)
    .join(', ');
}

/** Return whether two runs on the same sample agree; NaN agrees only with NaN. */
export function sameOutputs(before: Tensors, after: Tensors): boolean {
  const names = Object.keys(before);
  return (
    names.length === Object.keys(after).length &&
    names.every((name) => {
      const then = after[name];
      return then !== undefined && close(before[name]!, then);
    })
  );
}

function close(before: Tensor, after: Tensor): boolean {
  if (before.shape.join() !== after.shape.join()) return false;
  const olds = Array.from(before.data, Number);
  const finite = olds.filter(Number.isFinite);
  const largest = finite.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const tolerance = SAME_OUTPUT_TOLERANCE * largest;
  return olds.every((old, index) => {
    const value = Number(after.data[index]);
    return Object.is(old, value) || Math.abs(old - value) <= tolerance || old === value;
  });
}
