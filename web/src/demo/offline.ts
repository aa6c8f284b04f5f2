// The copy of the site for when there is no network.

import { messageOf } from './words.ts';

/**
 * Keep a copy of what was fetched so far, and of what will be. Returns why there is none, or null.
 * inWorkers: what was fetched where the page does not see it.
 */
export async function keepOffline(inWorkers: readonly string[]): Promise<string | null> {
  if (!('serviceWorker' in navigator)) return 'no service worker here';
  try {
    await navigator.serviceWorker.register(new URL('sw.js', document.baseURI));
    const { active } = await navigator.serviceWorker.ready;
    const fetched = performance.getEntriesByType('resource').map(({ name }) => name);
    active?.postMessage([
      ...new Set([new URL('.', document.baseURI).href, ...fetched, ...inWorkers]),
    ]);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
