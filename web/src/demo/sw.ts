// The service worker: it keeps a copy of what was visited, for when there is no network.
//
// The network comes first, so that the copy never hides a site that changed or lost a file. Each
// folder has its own cache, since several sites may share a host.

/** What this file uses of a service worker's scope; TypeScript's own needs a separate build. */
interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(kind: 'install' | 'activate', listener: (event: Extendable) => void): void;
  addEventListener(kind: 'message', listener: (event: Extendable & MessageEvent) => void): void;
  addEventListener(kind: 'fetch', listener: (event: Fetch) => void): void;
}

interface Extendable {
  waitUntil(work: Promise<unknown>): void;
}

interface Fetch extends Extendable {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

const scope = globalThis as unknown as Scope;
const { scope: folder } = scope.registration;
const NAME = `edgekit demo ${folder}`;

scope.addEventListener('install', (event) => event.waitUntil(scope.skipWaiting()));
scope.addEventListener('activate', (event) => event.waitUntil(scope.clients.claim()));

scope.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method === 'GET' && request.url.startsWith(folder)) event.respondWith(get(event));
});

async function get(event: Fetch): Promise<Response> {
  const { request } = event;
  const cache = await caches.open(NAME);
  try {
    const response = await fetch(request);
    if (response.status === 200) {
      event.waitUntil(cache.put(request, response.clone()));
    }
    return response;
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true, ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
}

// The page names what the first visit fetched before this worker was there.
scope.addEventListener('message', (event) => event.waitUntil(keep(event.data as string[])));

async function keep(urls: readonly string[]): Promise<void> {
  const cache = await caches.open(NAME);
  for (const url of urls.filter((one) => one.startsWith(folder))) {
    if (!(await cache.match(url))) await cache.add(url).catch(() => {});
  }
}
