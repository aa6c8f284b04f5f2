// How far a job is, from its events.

import type { Event, Job } from '../protocol/worker.ts';

/** Follows the events of a job. */
export class Progress {
  /** What happens now, in plain words. */
  text = 'Looking at this browser.';

  readonly #steps: number;
  #done = 0;

  constructor({ models, plan, outputs }: Job) {
    // A model is loaded, runs its samples, warms up, and is measured twice a round.
    const blocks = plan ? 1 + Math.max(2 * plan.rounds, 1) : 0;
    this.#steps = models.length * (1 + (outputs === 0 ? 0 : 1) + blocks);
  }

  /** The part of the work that is done, 0 to 1. */
  get share(): number {
    return Math.min(this.#done / Math.max(this.#steps, 1), 1);
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
      case 'block':
        this.#done += 1;
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
