// The class Worker of a page, over a thread of Node.

import { resolveObjectURL } from 'node:buffer';
import { Worker } from 'node:worker_threads';

/** A worker whose script is a blob. */
export class PageThread {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: ((error: unknown) => void) | null = null;
  readonly #worker: Worker;

  constructor(url: string) {
    this.#worker = new Worker(new URL('./node-thread.js', import.meta.url), {
      workerData: resolveObjectURL(url),
    });
    this.#worker.on('message', (data) => this.onmessage?.({ data }));
    this.#worker.on('error', (error) => this.onerror?.(error));
  }

  postMessage(message: unknown, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  terminate(): void {
    void this.#worker.terminate();
  }
}
