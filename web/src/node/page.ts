// Makes Node look like a worker of a page, so that engines run the very code that they run there.
//
// TF.js and the glue of its WebAssembly ask for `process` to tell Node from a page, and have another
// way in Node: without threads, and with another download of the same files.

import { readFile } from 'node:fs/promises';
import { hideNode } from './hidden.ts';
import { PageThread } from './page-thread.ts';

/** Define what a page has, and hide what it has not. Files are fetched by their paths. */
export function becomePage(): void {
  hideNode();
  Object.assign(globalThis, {
    fetch: fetchFile,
    importScripts: () => {},
    Worker: PageThread,
    // Memory is shared without further ado.
    crossOriginIsolated: true,
  });
}

const TYPES: Readonly<Record<string, string>> = { wasm: 'application/wasm' };

async function fetchFile(path: string): Promise<Response> {
  const body = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new Error('there is no such file') : error;
  });
  const type = TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
  return new Response(body, { headers: { 'Content-Type': type } });
}
