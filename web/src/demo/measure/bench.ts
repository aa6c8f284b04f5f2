// "Measure all": jobs for workers, and rows from what they say, as edgekit/bench makes them.

import { ENGINES, enginesFor } from '../../engines/known.ts';
import type { Job, JobModel, Plan } from '../../protocol/generated/job.ts';
import type { EdgekitResults, Ratio, Row } from '../../protocol/generated/results.ts';
import type { Tensors } from '../../protocol/tensors.ts';
import { FidelityAccumulator } from '../numbers/fidelity.ts';
import { compare, summarize } from '../numbers/statistics.ts';
import { messageOf } from '../page/words.ts';
import { runJobApart } from '../session/session.ts';
import type { Choice } from '../site/choices.ts';
import { type Artifact, REFERENCE_RECIPE, referenceOf, type Site } from '../site/site.ts';
import { blocksOf, type Environment, type ModelRecord, WorkerRecord } from './record.ts';
import { isWorthIt } from './worth.ts';

/**
 * A visitor waits: there is one worker instead of several processes, so the interval comes from the
 * rounds alone. There are at least three, because with two Student's t is 12.7. Blocks are twice as
 * long as those of edgekit/results/plan.py, because the clocks of pages are coarser.
 */
const PLAN: Plan = {
  warmup_runs: 1,
  warmup_s: 0.2,
  block_s: 0.01,
  block_runs: 3,
  rounds: 3,
  min_runs: 12,
  min_s: 0.6,
  max_s: 6,
};
const PLAN_NAME = 'page';

/** Every artifact on each back end that is worth measuring in this browser. */
export async function subjectsOf(site: Site): Promise<Choice[]> {
  const all = site.artifacts.flatMap((artifact) =>
    enginesFor(artifact.format).flatMap((engine) =>
      ENGINES[engine].backends.map((backend) => ({ artifact, engine, backend, threads: 1 })),
    ),
  );
  const fit = await Promise.all(all.map((subject) => isWorthIt(subject, 'measure')));
  return all.filter((_, index) => fit[index]);
}

/** Measures a site's artifacts on this machine. */
export class Bench {
  readonly #site: Site;
  readonly #golden: Tensors;
  readonly #inputs: Readonly<Record<string, string>>;
  readonly #signal: AbortSignal;
  readonly #environments: Record<string, Environment> = {};
  readonly #rows: Row[] = [];

  /** golden: the original's outputs, samples along the first axis. signal: stops everything. */
  constructor(site: Site, golden: Tensors, signal: AbortSignal) {
    this.#site = site;
    this.#golden = golden;
    this.#signal = signal;
    const inputs = Object.entries(site.golden.inputs);
    this.#inputs = Object.fromEntries(inputs.map(([name, path]) => [name, absolute(path)]));
  }

  /** Measure one artifact and return its row. Throws only if the signal stops it. */
  async measure(subject: Choice): Promise<Row> {
    const { artifact } = subject;
    const isReference = artifact.recipe === REFERENCE_RECIPE;
    const fidelity = new FidelityAccumulator(this.#golden);
    // Alone, because beside another model of its engine it would find libraries and memory ready.
    const alone = await this.#run(subject, [artifact], {
      outputs: this.#site.golden.count,
      plan: isReference ? PLAN : null,
      fidelity,
    });
    const reference = isReference ? null : referenceOf(artifact, this.#site);
    const isTimed = isReference || alone.errorOf(artifact.id) !== null;
    const beside = reference ? [reference, artifact] : [artifact];
    const timing = isTimed
      ? alone
      : await this.#run(subject, beside, { outputs: 0, plan: PLAN, fidelity: null });
    const row = rowOf(subject, reference, alone, timing, fidelity);
    this.#rows.push(row);
    return row;
  }

  /** Everything so far, as `edgekit bench --json` prints it. */
  results(): EdgekitResults {
    const { name, edgekit, golden } = this.#site;
    return {
      schema: 2,
      bundle: name,
      edgekit,
      created: new Date().toISOString(),
      plan: { name: PLAN_NAME, processes: 1, worker: PLAN },
      threads: 1,
      samples: golden.count,
      noise: golden.noise,
      environments: this.#environments,
      rows: Object.keys(this.#environments).flatMap((device) =>
        this.#rows.filter((row) => row.device === device),
      ),
      stands_in: null,
      files: {},
    };
  }

  /** Run the artifacts in their own worker. */
  async #run(
    { engine, backend }: Choice,
    artifacts: readonly Artifact[],
    work: { outputs: number; plan: Plan | null; fidelity: FidelityAccumulator | null },
  ): Promise<WorkerRecord> {
    const models = artifacts.map(({ id, path, options }): JobModel => {
      return { id, engine, path: absolute(path), options: { ...options, backend, threads: 1 } };
    });
    const { plan, outputs, fidelity } = work;
    const { preprocessing } = this.#site;
    const job: Job = { schema: 1, models, inputs: this.#inputs, preprocessing, plan, outputs };
    const record = new WorkerRecord(fidelity);
    try {
      await runJobApart(job, (event) => record.take(event), this.#signal);
    } catch (error) {
      this.#signal.throwIfAborted();
      record.fail('', messageOf(error));
    }
    const device = deviceOf(backend);
    const before = this.#environments[device];
    const engines = { ...before?.engines, ...record.environment.engines };
    this.#environments[device] = { ...record.environment, ...before, engines };
    return record;
  }
}

function rowOf(
  { artifact, engine, backend }: Choice,
  reference: Artifact | null,
  alone: WorkerRecord,
  timing: WorkerRecord,
  fidelity: FidelityAccumulator,
): Row {
  const { id, format, recipe } = artifact;
  const reason = alone.errorOf(id) ?? timing.errorOf(id);
  const isOk = reason === null;
  const { startNs, downloadNs, loadNs, firstRunNs } = alone.of(id);
  const times = timing.of(id);
  const samples = times.measure.flat();
  const beside = reference && timing.of(reference.id);
  const ratio = isOk && beside ? ratioOf(times, beside) : null;
  return {
    device: deviceOf(backend),
    unit: 'ns',
    id,
    format,
    recipe,
    engine,
    backend,
    status: isOk ? 'ok' : 'failed',
    reason,
    bytes: artifact.bytes,
    wire_bytes: artifact.wire,
    start_ns: startNs,
    download_ns: downloadNs,
    load_ns: loadNs,
    first_run_ns: firstRunNs,
    blocks: isOk ? [...blocksOf('warmup', times), ...blocksOf('measure', times)] : [],
    reference_blocks: ratio && beside ? blocksOf('measure', beside) : [],
    statistics: isOk && samples.length ? summarize(samples) : null,
    ratio_to_fp32: ratio,
    ratio_reason: isOk && !ratio ? whyNoRatio(artifact, reference) : null,
    fidelity: isOk ? fidelity.result() : null,
    // What a page cannot find out.
    peak_memory_bytes: null,
    steadiness: null,
    ratio_to_original: null,
    damage: null,
    agreement_with_host: null,
    accuracy: null,
    accuracy_reason: null,
    execution: null,
    reasons: [],
  };
}

const deviceOf = (backend: Choice['backend']): string => `browser:${backend}`;

const absolute = (path: string): string => new URL(path, document.baseURI).href;

function ratioOf(mine: ModelRecord, other: ModelRecord): Ratio | null {
  const isWhole = mine.measure.length > 0 && mine.measure.length === other.measure.length;
  return isWhole ? compare([mine.measure], [other.measure]) : null;
}

function whyNoRatio({ format, recipe }: Artifact, reference: Artifact | null): string | null {
  if (recipe === REFERENCE_RECIPE) return null;
  if (reference) return `${reference.id} was not measured beside it`;
  return `the bundle has no ${format}/${REFERENCE_RECIPE} to compare with`;
}
