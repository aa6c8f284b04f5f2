// A model in its own worker, as the page sees it.

import type { Event, Job } from '../../protocol/generated/job.ts';
import type { Tensors } from '../../protocol/tensors.ts';
import type { Choice } from '../site/choices.ts';
import type { Answers, Described, FromWorker, Opened, Ran, Request } from './messages.ts';

const NOT_STARTED =
  'A script of this page did not start: it is missing, or the browser is older than 2023';

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
  readonly onEvent: ((event: Event) => void) | undefined;
}

/** A worker and the requests that it has not answered yet. */
class Remote {
  readonly #worker = new Worker(new URL('./demo-worker.js', import.meta.url), { type: 'module' });
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;

  constructor() {
    this.#worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      const waiting = this.#waiting.get(data.id);
      if ('event' in data) return waiting?.onEvent?.(data.event);
      this.#waiting.delete(data.id);
      if ('error' in data) waiting?.reject(new Error(data.error));
      else waiting?.resolve(data.answer as never);
    });
    this.#worker.addEventListener('error', (event) => {
      event.preventDefault();
      // Nothing is said of a script that could not be fetched, nor by an old browser.
      this.#fail(event.message || NOT_STARTED);
    });
  }

  ask<K extends Request['kind']>(
    request: Extract<Request, { kind: K }>,
    onEvent?: (event: Event) => void,
  ): Promise<Answers[K]> {
    this.#count += 1;
    const id = this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, onEvent });
      this.#worker.postMessage({ id, request });
    });
  }

  close(reason = 'it was closed'): void {
    this.#worker.terminate();
    this.#fail(reason);
  }

  #fail(reason: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(reason));
    this.#waiting.clear();
  }
}

/** An artifact, loaded and ready to run. */
export class Session {
  readonly choice: Choice;
  readonly opened: Opened;
  readonly #remote: Remote;
  #firstNs: number | null = null;

  private constructor(choice: Choice, opened: Opened, remote: Remote) {
    this.choice = choice;
    this.opened = opened;
    this.#remote = remote;
  }

  /** Start a worker and load the artifact in it. Throws an Error in plain words. */
  static async open(choice: Choice): Promise<Session> {
    const remote = new Remote();
    const { artifact, engine, backend, threads } = choice;
    try {
      const opened = await remote.ask({
        kind: 'open',
        engine,
        backend,
        threads,
        url: new URL(artifact.path, document.baseURI).href,
        hashes: artifact.hashes,
        options: artifact.options,
      });
      return new Session(choice, opened, remote);
    } catch (error) {
      remote.close();
      throw error;
    }
  }

  /** The time of the very first run, which compiles what there is to compile. */
  get firstNs(): number | null {
    return this.#firstNs;
  }

  /**
   * Run once, or until `times` runs or `limitMs` are over. The very first run is not among the
   * samples.
   */
  async run(inputs: Tensors, times = 1, limitMs = 0): Promise<Ran> {
    const ran = await this.#remote.ask({ kind: 'run', inputs, times, limitMs });
    if (this.#firstNs !== null) return ran;
    const [first = 0, ...samples] = ran.samples;
    this.#firstNs = first;
    return { ...ran, samples };
  }

  /** What this machine is, and what the worker downloaded. */
  describe(): Promise<Described> {
    const { engine, backend } = this.choice;
    return this.#remote.ask({ kind: 'describe', engine, backend });
  }

  close(): void {
    this.#remote.close();
  }
}

/** Do a job in a new worker; its events are handed over as they come. */
export async function runJobApart(
  job: Job,
  onEvent: (event: Event) => void,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const remote = new Remote();
  const stop = () => remote.close('stopped');
  signal.addEventListener('abort', stop);
  try {
    await remote.ask({ kind: 'job', job }, onEvent);
  } finally {
    signal.removeEventListener('abort', stop);
    remote.close();
  }
}
