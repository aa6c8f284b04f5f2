// What the address of the page takes away.

import { byId, make } from './dom.ts';

/** Say below the page what this address takes away. offline: why there is no copy, or null. */
export function showNotices(offline: string | null): void {
  const plain =
    'This page was opened over plain http from another machine. Browsers then give it no camera, ' +
    'no offline copy and no WebGPU. Everything else works.';
  const line = globalThis.isSecureContext ? offline && `No offline copy: ${offline}` : plain;
  byId('notices').replaceChildren(...(line ? [make('li', {}, line)] : []));
}
