// What a page and its threads have alike.

import { availableParallelism } from 'node:os';
import process from 'node:process';

/** Hide `process`, by which code tells Node from a page, and send what is logged to stderr. */
export function hideNode(): void {
  globalThis.console = new console.Console(process.stderr);
  Reflect.deleteProperty(globalThis, 'process');
  // Node has one of its own since version 21, behind a getter.
  Object.defineProperty(globalThis, 'navigator', {
    value: {
      userAgent: `Node.js/${process.versions.node}`,
      hardwareConcurrency: availableParallelism(),
    },
  });
  Object.assign(globalThis, {
    self: globalThis,
    location: { href: import.meta.url },
    WorkerGlobalScope: class {},
  });
}
