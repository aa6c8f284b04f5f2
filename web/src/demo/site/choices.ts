// What can be chosen: an artifact, and the engine and back end that run it.

import type { Backend, EngineName } from '../../engines/common/engine.ts';
import { ENGINES } from '../../engines/known.ts';
import { type Artifact, engineOf, REFERENCE_RECIPE, type Site, wireBytes } from './site.ts';

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

/** With more threads than free cores WebAssembly gets several times slower, so few are offered. */
const MOST_THREADS = 4;

export const placeLabel = ({ engine, backend, threads }: Place): string =>
  `${ENGINES[engine].label} · ${backendLabel({ backend, threads })}`;

export const backendLabel = ({ backend, threads }: Pick<Place, 'backend' | 'threads'>): string =>
  threads > 1 ? `${BACKEND_LABELS[backend]}, ${threads} threads` : BACKEND_LABELS[backend];

export const placeKey = ({ engine, backend, threads }: Place): string =>
  `${engine} ${backend} ${threads}`;

export const choiceKey = (choice: Choice): string => `${choice.artifact.id} ${placeKey(choice)}`;

/** How many threads a page may use: those of the machine, where the host sends the headers. */
export const threadsHere = (): number =>
  globalThis.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1) : 1;

/** Every engine of the bundle's formats on each of its back ends. */
export function placesOf(site: Site, threads: number): Place[] {
  const engines = new Set(site.artifacts.map((artifact) => engineOf(artifact.format)));
  return [...engines].flatMap((engine) =>
    ENGINES[engine].backends.flatMap((backend) => [
      { engine, backend, threads: 1 },
      ...(backend === 'wasm' && threads > 1 ? [{ engine, backend, threads }] : []),
    ]),
  );
}

/** Where the page starts: TF.js on WebGL, else on what needs less of a browser, else others. */
const START: readonly Place[] = [
  { engine: 'tfjs', backend: 'webgl', threads: 1 },
  { engine: 'tfjs', backend: 'wasm', threads: 1 },
  { engine: 'tfjs', backend: 'cpu', threads: 1 },
  { engine: 'litertjs', backend: 'wasm', threads: 1 },
  { engine: 'ort-web', backend: 'wasm', threads: 1 },
];

/** What to start with, to be tried in this order: of each engine the smallest artifact first. */
export function startChoices(site: Site): Choice[] {
  return [...new Set(START.map(({ engine }) => engine))].flatMap((engine) => {
    const places = START.filter((place) => place.engine === engine);
    const artifacts = site.artifacts.filter(({ format }) => engineOf(format) === engine);
    const sorted = [...artifacts].sort((a, b) => weight(a) - weight(b));
    return sorted.flatMap((artifact) => places.map((place) => ({ ...place, artifact })));
  });
}

/** Of a download; integers in and out come last, for not every engine takes them. */
const weight = (artifact: Artifact): number =>
  artifact.io === 'float' ? wireBytes(artifact) : Number.MAX_SAFE_INTEGER;

/** The same artifact elsewhere: the one of the same recipe in the format of that engine. */
export function moveTo(place: Place, artifact: Artifact, site: Site): Choice | null {
  const there = site.artifacts.filter((other) => engineOf(other.format) === place.engine);
  const found =
    there.find((other) => other.id === artifact.id) ??
    there.find((other) => other.recipe === artifact.recipe) ??
    there.find((other) => other.recipe === REFERENCE_RECIPE) ??
    there[0];
  return found ? { ...place, artifact: found } : null;
}

/** An artifact where the last one ran, else on the default back end of its engine. */
export function placeFor(artifact: Artifact, last: Place | null): Choice {
  const engine = engineOf(artifact.format);
  if (last && last.engine === engine) return { ...last, artifact };
  return { engine, backend: ENGINES[engine].backends[0], threads: 1, artifact };
}
