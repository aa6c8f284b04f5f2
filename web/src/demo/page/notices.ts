// What the page cannot do because of its address.

import { byId, make } from './dom.ts';

/** Say at the bottom of the page what it cannot do. offline: why there is no copy, or null. */
export function showNotices(offline: string | null): void {
  const plain =
    'This page was opened over plain http from another machine. Browsers then give it no camera, ' +
    'no offline copy and no WebGPU. Everything else works.';
  const line = globalThis.isSecureContext ? offline && `No offline copy: ${offline}` : plain;
  byId('notices').replaceChildren(...(line ? [make('li', {}, line)] : []));
}
