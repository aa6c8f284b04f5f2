// What the page and its worker say to each other.

import type { Hashes } from '../../engines/common/download.ts';
import type { Backend } from '../../engines/common/engine.ts';
import type { EngineName } from '../../engines/known.ts';
import type { EnvironmentEvent, Event, Job } from '../../protocol/generated/job.ts';
import type { TensorSpec, Tensors } from '../../protocol/tensors.ts';

/** Load an artifact. url: absolute. hashes: of its files, which are compared first. */
export interface OpenRequest {
  readonly kind: 'open';
  readonly engine: EngineName;
  readonly backend: Backend;
  readonly threads: number;
  readonly url: string;
  readonly hashes: Hashes;
  readonly options: Readonly<Record<string, unknown>>;
}

/** Run once, and again until `times` runs or `limitMs` are over. */
export interface RunRequest {
  readonly kind: 'run';
  readonly inputs: Tensors;
  readonly times: number;
  readonly limitMs: number;
}

/** Ask what this machine is, as this back end sees it. */
export interface DescribeRequest {
  readonly kind: 'describe';
  readonly engine: EngineName;
  readonly backend: Backend;
}

/** Do a job; its events come one by one. Its paths are absolute. */
export interface JobRequest {
  readonly kind: 'job';
  readonly job: Job;
}

export type Request = OpenRequest | RunRequest | DescribeRequest | JobRequest;

/** startNs: the engine's files and its back end; downloadNs: the artifact; loadNs: parsing it. */
export interface Opened {
  readonly inputs: readonly TensorSpec[];
  readonly startNs: number;
  readonly downloadNs: number;
  readonly loadNs: number;
}

/** outputs: of the last run. samples: ns of each run, from the inputs to the outputs. */
export interface Ran {
  readonly outputs: Tensors;
  readonly samples: readonly number[];
}

/** facts: of the machine. fetched: the addresses of all that the worker downloaded. */
export interface Described {
  readonly facts: EnvironmentEvent;
  readonly fetched: readonly string[];
}

/** What each request is answered with at its end. */
export interface Answers {
  readonly open: Opened;
  readonly run: Ran;
  readonly describe: Described;
  readonly job: null;
}

export interface ToWorker {
  readonly id: number;
  readonly request: Request;
}

export type FromWorker =
  | { readonly id: number; readonly answer: Answers[keyof Answers] }
  | { readonly id: number; readonly event: Event }
  | { readonly id: number; readonly error: string };
