// What the page knows of the bundle: site.json, as edgekit/demo/site.py writes it.

import type { Hashes } from '../../engines/common/download.ts';
import type { Format } from '../../engines/common/engine.ts';
import type { Preprocessing } from '../../protocol/generated/job.ts';
import type { NumberOrInfinite } from '../../protocol/generated/results.ts';

/** shape: null where a size is free. sample: the shape of a golden sample, without its batch. */
export interface SiteTensor {
  readonly name: string;
  readonly shape: readonly (number | null)[];
  readonly dtype: string;
  readonly sample: readonly number[];
}

/** values: not classes. probabilities: add up to 1. scores: one per class, before a softmax. */
export interface SiteOutput extends SiteTensor {
  readonly kind: 'probabilities' | 'scores' | 'values';
}

/** What drawings look like in the data: see edgekit/demo/picture.py. */
export interface Drawing {
  readonly ground: number;
  readonly ink: number;
  readonly figure: number;
  readonly stroke: number;
  readonly centre: readonly [number, number];
  readonly centred_by: 'mass' | 'box';
}

/** size: height, width. low, high: the values of black and white, before preprocessing. */
export interface Picture {
  readonly size: readonly [number, number];
  readonly channels: 1 | 3;
  readonly low: number;
  readonly high: number;
  readonly assumed: boolean;
  readonly drawing: Drawing | null;
}

export interface Artifact {
  readonly id: string;
  readonly format: Format;
  readonly recipe: string;
  readonly path: string;
  readonly hashes: Hashes;
  readonly bytes: number;
  readonly wire: Readonly<Record<'gzip' | 'brotli', number>>;
  readonly io: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly top1: number | null;
  readonly sqnr_db: NumberOrInfinite | null;
  readonly notes: readonly string[];
}

/** Paths by the names of inputs and outputs. first: one sample of only the inputs. */
export interface SiteGolden {
  readonly count: number;
  readonly noise: boolean;
  readonly first: Readonly<Record<string, string>>;
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
}

export interface Site {
  readonly schema: 1;
  readonly edgekit: string;
  readonly name: string;
  readonly classes: readonly string[];
  readonly preprocessing: Preprocessing;
  readonly inputs: readonly SiteTensor[];
  readonly outputs: readonly SiteOutput[];
  readonly batched: boolean;
  readonly picture: Picture | null;
  readonly golden: SiteGolden;
  readonly artifacts: readonly Artifact[];
}

export const REFERENCE_RECIPE = 'fp32';

/** Fetch site.json. Throws an Error in plain words. */
export async function loadSite(): Promise<Site> {
  const response = await fetch('site.json');
  if (!response.ok) {
    throw new Error(
      `site.json is missing from this site (the server answered ${response.status}).`,
    );
  }
  return (await response.json()) as Site;
}

/** The fp32 artifact of the same format, or null. */
export const referenceOf = (artifact: Artifact, site: Site): Artifact | null =>
  site.artifacts.find(
    (other) => other.format === artifact.format && other.recipe === REFERENCE_RECIPE,
  ) ?? null;

/** The bytes of a download: compressed with brotli, as web servers send it. */
export const wireBytes = (artifact: Artifact): number => artifact.wire.brotli ?? artifact.bytes;
