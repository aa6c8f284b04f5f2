// What can be chosen: an artifact, and the engine and back end that run it.

import type { Backend } from '../../engines/common/engine.ts';
import { ENGINE_NAMES, ENGINES, type EngineName, enginesFor } from '../../engines/known.ts';
import { type Artifact, REFERENCE_RECIPE, type Site, wireBytes } from './site.ts';

/** threads: of WebAssembly. */
export interface Place {
  readonly engine: EngineName;
  readonly backend: Backend;
  readonly threads: number;
}

export interface Choice extends Place {
  readonly artifact: Artifact;
}

const BACKEND_LABELS: Readonly<Record<Backend, string>> = {
  webgl: 'WebGL',
  wasm: 'WASM',
  webgpu: 'WebGPU',
  cpu: 'plain JavaScript',
};

/** With more threads than free cores, WebAssembly is several times slower: a few are enough. */
const MOST_THREADS = 4;

export const placeLabel = ({ engine, backend, threads }: Place): string =>
  `${ENGINES[engine].label} · ${backendLabel({ backend, threads })}`;

export const backendLabel = ({ backend, threads }: Pick<Place, 'backend' | 'threads'>): string =>
  threads > 1 ? `${BACKEND_LABELS[backend]}, ${threads} threads` : BACKEND_LABELS[backend];

export const placeKey = ({ engine, backend, threads }: Place): string =>
  `${engine} ${backend} ${threads}`;

export const choiceKey = (choice: Choice): string => `${choice.artifact.id} ${placeKey(choice)}`;

/** How many threads the page may use: more than one only if the host sends the headers. */
export const threadsHere = (): number =>
  globalThis.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1) : 1;

/** The engines that run the bundle's formats. */
export const enginesOf = (site: Site): EngineName[] => [
  ...new Set(site.artifacts.flatMap(({ format }) => enginesFor(format))),
];

/** The artifacts that an engine runs. */
export const artifactsOf = (site: Site, engine: EngineName): Artifact[] =>
  site.artifacts.filter(({ format }) => format === ENGINES[engine].format);

/** Every engine of the bundle's formats on each of its back ends. */
export function placesOf(site: Site, threads: number): Place[] {
  return enginesOf(site).flatMap((engine) =>
    ENGINES[engine].backends.flatMap((backend) => [
      { engine, backend, threads: 1 },
      ...(backend === 'wasm' && threads > 1 ? [{ engine, backend, threads }] : []),
    ]),
  );
}

/** Where the page may start with an engine: not on WebGPU, which fewer browsers have. */
export const startPlaces = (engine: EngineName): Place[] =>
  ENGINES[engine].backends
    .filter((backend) => backend !== 'webgpu' && !isAvoided(engine, backend))
    .map((backend) => ({ engine, backend, threads: 1 }));

/** Whether a back end is used only if the visitor chooses it. */
export const isAvoided = (engine: EngineName, backend: Backend): boolean =>
  ENGINES[engine].avoided?.includes(backend) ?? false;

/** What to try to start with, in this order: for each engine, the smallest artifact first. */
export function startChoices(site: Site): Choice[] {
  return ENGINE_NAMES.flatMap((engine) => {
    const places = startPlaces(engine);
    const sorted = artifactsOf(site, engine).sort((a, b) => weight(a) - weight(b));
    return sorted.flatMap((artifact) => places.map((place) => ({ ...place, artifact })));
  });
}

/** The bytes to download; integers in and out come last, since not every engine takes them. */
const weight = (artifact: Artifact): number =>
  artifact.io === 'float' ? wireBytes(artifact) : Number.MAX_SAFE_INTEGER;

/** The same artifact elsewhere: the one with the same recipe in that engine's format. */
export function moveTo(place: Place, artifact: Artifact, site: Site): Choice | null {
  const there = artifactsOf(site, place.engine);
  const found =
    there.find((other) => other.id === artifact.id) ??
    there.find((other) => other.recipe === artifact.recipe) ??
    there.find((other) => other.recipe === REFERENCE_RECIPE) ??
    there[0];
  return found ? { ...place, artifact: found } : null;
}

/** An artifact where the last one ran, or else on the default back end of its first engine. */
export function placeFor(artifact: Artifact, last: Place | null): Choice {
  const engines = enginesFor(artifact.format);
  if (last && engines.includes(last.engine)) return { ...last, artifact };
  const [engine] = engines as [EngineName];
  return { engine, backend: ENGINES[engine].backends[0], threads: 1, artifact };
}
