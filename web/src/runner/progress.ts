// How far a job has got, from its events.

import type { Event, Job } from '../worker/worker.ts';

/** Follows the events of a job. */
export class Progress {
  /** What is happening now, in plain words. */
  text = 'Looking at this browser.';

  readonly #steps: number;
  readonly #models: number;
  #done = 0;
  #measured = 0;

  constructor({ models, plan, outputs }: Job) {
    // Each model is loaded, runs its samples, warms up, and is measured.
    this.#steps = models.length * (1 + (outputs === 0 ? 0 : 1) + (plan ? 2 : 0));
    this.#models = models.length;
  }

  /** The part of the work that is done, 0 to 1. */
  get share(): number {
    const done = this.#done + this.#measured * this.#models;
    return Math.min(done / Math.max(this.#steps, 1), 1);
  }

  note(event: Event): void {
    switch (event.event) {
      case 'loading':
        this.text = `Loading ${event.model}.`;
        break;
      case 'running':
        this.text = `Running ${event.model}.`;
        break;
      case 'loaded':
        this.#done += 1;
        break;
      case 'block':
        if (event.phase === 'warmup') this.#done += 1;
        else this.#measured = (event.round + 1) / event.rounds;
        break;
      case 'outputs':
        if (event.start === 0) this.#done += 1;
        break;
      case 'error':
        this.text = event.message;
        break;
      case 'done':
        this.#done = this.#steps;
        this.text = 'Done.';
    }
  }
}
