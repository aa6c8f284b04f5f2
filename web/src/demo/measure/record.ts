// What one worker said about its job, sorted by model, as in edgekit_runtimes/protocol/events.py.

import type { Event } from '../../protocol/generated/job.ts';
import type { Block } from '../../protocol/generated/results.ts';
import { decode } from '../../protocol/tensors.ts';
import type { FidelityAccumulator } from '../numbers/fidelity.ts';
import { messageOf } from '../page/words.ts';

/** Times in ns; blocks in the order of time. */
export interface ModelRecord {
  startNs: number[];
  downloadNs: number[];
  loadNs: number[];
  firstRunNs: number[];
  readonly warmup: (readonly number[])[];
  readonly measure: (readonly number[])[];
}

/** What a machine is. engines: the version of each that ran. */
export type Environment = Readonly<Record<string, unknown>> & {
  readonly engines: Readonly<Record<string, string>>;
};

export class WorkerRecord {
  readonly #fidelity: FidelityAccumulator | null;
  readonly #models = new Map<string, ModelRecord>();
  readonly #errors = new Map<string, string>();
  environment: Environment = { engines: {} };

  /** fidelity: is given the outputs as they come. */
  constructor(fidelity: FidelityAccumulator | null = null) {
    this.#fidelity = fidelity;
  }

  /** What was said about a model, so far. */
  of(id: string): ModelRecord {
    const known = this.#models.get(id);
    if (known) return known;
    const empty = { startNs: [], downloadNs: [], loadNs: [], firstRunNs: [] };
    const made: ModelRecord = { ...empty, warmup: [], measure: [] };
    this.#models.set(id, made);
    return made;
  }

  /** Why a model, or the worker as a whole, failed; null if neither did. */
  errorOf(id: string): string | null {
    return this.#errors.get(id) ?? this.#errors.get('') ?? null;
  }

  /** Note an error; the first one counts. id: "" for the worker as a whole. */
  fail(id: string, message: string): void {
    if (!this.#errors.has(id)) this.#errors.set(id, message);
  }

  take(event: Event): void {
    switch (event.event) {
      case 'environment': {
        const { event: _, ...facts } = event;
        // Results leave out what a browser does not tell.
        const known = Object.entries(facts).filter(([, fact]) => fact !== null);
        this.environment = { ...Object.fromEntries(known), engines: this.environment.engines };
        break;
      }
      case 'loaded': {
        const { engine, engine_version: version, start_ns: start, download_ns: download } = event;
        const engines = { ...this.environment.engines, [engine]: version };
        this.environment = { ...this.environment, engines };
        const model = this.of(event.model);
        model.loadNs = [event.ns];
        model.startNs = start === undefined ? [] : [start];
        model.downloadNs = download === undefined ? [] : [download];
        break;
      }
      case 'first_run':
        this.of(event.model).firstRunNs = [event.ns];
        break;
      case 'block':
        this.of(event.model)[event.phase].push(event.samples);
        break;
      case 'outputs':
        this.#judge(event);
        break;
      case 'error':
        this.fail(event.model ?? '', event.message);
        break;
    }
  }

  #judge({ model, start, arrays }: Extract<Event, { event: 'outputs' }>): void {
    const outputs = Object.entries(arrays).map(([name, form]) => [name, decode(form)] as const);
    try {
      this.#fidelity?.add(start, Object.fromEntries(outputs));
    } catch (error) {
      this.fail(model, messageOf(error));
    }
  }
}

/** Blocks as results hold them; a page has one process. */
export const blocksOf = (phase: Block['phase'], record: ModelRecord): Block[] =>
  record[phase].map((samples) => ({ process: 0, phase, samples: [...samples] }));
