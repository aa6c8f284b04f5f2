// Keeps a copy of the site, for when there is no network.

import { messageOf } from './words.ts';

/**
 * Keep a copy of what was fetched so far, and of what will be. Returns why it cannot, or null.
 * inWorkers: what workers fetched, which the page does not see.
 */
export async function keepOffline(inWorkers: readonly string[]): Promise<string | null> {
  if (!('serviceWorker' in navigator)) return 'no service worker here';
  try {
    await navigator.serviceWorker.register(new URL('sw.js', document.baseURI));
    const { active } = await navigator.serviceWorker.ready;
    // What is fetched before it takes over would be in neither list.
    if (active) await activated(active);
    const fetched = performance.getEntriesByType('resource').map(({ name }) => name);
    active?.postMessage([
      ...new Set([new URL('.', document.baseURI).href, ...fetched, ...inWorkers]),
    ]);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** Wait until a service worker is fully active: from then on it answers for this page. */
function activated(worker: ServiceWorker): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (worker.state !== 'activating') resolve();
    };
    worker.addEventListener('statechange', look);
    look();
  });
}
