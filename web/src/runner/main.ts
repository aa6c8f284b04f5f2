// The runner page: asks for a job, does it, posts its events, and reloads for the next one.
//
// Each job has a fresh page, as each has a fresh process elsewhere. Addresses are relative to the
// page's own: job, events/N, alive/N, and what the job names.

import { firstLine } from '../protocol/errors.ts';
import { type Event, type Job, runJob } from '../worker/worker.ts';
import { Progress } from './progress.ts';

const FINISHED = 410;
const NONE_YET = 204;

// How long the page waits before it asks again after an answer that it cannot use.
const RETRY_MS = 1_000;

const BLOCKS_MAY_WAIT_MS = 1_000;

// Before another model's block its name is posted, which takes some milliseconds: with shorter
// blocks more time would go by between them than in them.
const LEAST_BLOCK_S = 0.02;

const status = document.querySelector('#status') as HTMLElement;
const bar = document.querySelector('#progress') as HTMLProgressElement;

/** What the server answers to GET job. */
interface Task {
  readonly number: number;
  readonly job: Job;
}

/** Ask until there is a job; null when there will be no more. */
async function nextTask(): Promise<Task | null> {
  for (;;) {
    const answer = await fetch('job').catch(() => null);
    if (answer?.status === FINISHED) return null;
    if (answer?.ok && answer.status !== NONE_YET) return (await answer.json()) as Task;
    if (!answer?.ok) {
      status.textContent = 'edgekit does not answer. Waiting for it.';
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** Posts the events of a job, in their order. */
class Mail {
  readonly #number: number;
  #waiting: Event[] = [];
  #sent = performance.now();

  constructor(number: number) {
    this.#number = number;
  }

  /** Post an event and wait until it has arrived: the next step may crash the page. */
  async post(event: Event): Promise<void> {
    this.#waiting.push(event);
    // Blocks are many and short, and each post interrupts the measurement.
    if (event.event === 'block' && performance.now() - this.#sent < BLOCKS_MAY_WAIT_MS) return;
    const answer = await fetch(`events/${this.#number}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(this.#waiting),
    });
    if (!answer.ok) throw new Error(`edgekit refused an event with status ${answer.status}`);
    this.#waiting = [];
    this.#sent = performance.now();
  }
}

/** Keep a request open: when it ends, edgekit knows that this page is gone. */
function stayAlive(number: number): void {
  fetch(`alive/${number}`)
    .then((answer) => answer.text())
    .catch(() => {});
}

/** Return the job with fewer and longer blocks if it measures for some time. */
function withLongBlocks(job: Job): Job {
  const { plan } = job;
  if (!plan?.min_s) return job;
  return { ...job, plan: { ...plan, block_s: Math.max(plan.block_s, LEAST_BLOCK_S) } };
}

async function work({ number, job }: Task): Promise<void> {
  stayAlive(number);
  const progress = new Progress(job);
  const mail = new Mail(number);
  try {
    await runJob(withLongBlocks(job), async (event) => {
      progress.note(event);
      status.textContent = progress.text;
      bar.value = progress.share;
      await mail.post(event);
    });
  } catch (error) {
    await mail.post({ event: 'error', model: null, message: firstLine(error) });
  }
}

async function main(): Promise<void> {
  const task = await nextTask();
  if (!task) {
    status.textContent = 'Finished. This page can be closed.';
    bar.remove();
    return;
  }
  // If not even the error could be posted, the next page asks whether edgekit is still there.
  await work(task).catch(() => {});
  location.reload();
}

main();
