// A thread of Node as a worker of a page: runs the script in its workerData, a blob.

import { Blob } from 'node:buffer';
import { parentPort, workerData } from 'node:worker_threads';
import { hideNode } from './hidden.ts';

hideNode();
// Indirect, so that what a script declares is global.
// biome-ignore lint/security/noGlobalEval: the scripts are those of our own runtimes
const runScript: (script: string) => void = globalThis.eval;
Object.assign(globalThis, {
  postMessage: (message: unknown) => parentPort!.postMessage(message),
  // Reading a blob takes a promise, which importScripts cannot wait for: it gets the text.
  importScripts: runScript,
});

interface Page {
  onmessage?: (event: { readonly data: unknown }) => void;
}

/** Return a message whose blobs are their texts. */
async function withTexts(message: object): Promise<object> {
  const entries = Object.entries(message).map(async ([name, value]) => [
    name,
    value instanceof Blob ? await value.text() : value,
  ]);
  return Object.fromEntries(await Promise.all(entries));
}

let last = (workerData as Blob).text().then(runScript);
parentPort!.on('message', (message: object) => {
  // One after the other, in the order in which they were sent.
  last = last.then(async () => {
    const data = await withTexts(message);
    (globalThis as unknown as Page).onmessage?.({ data });
  });
});
