// The bytes of an artifact, fetched before an engine parses them, so that each can be timed.

import { EngineError, firstLine } from '../../protocol/errors.ts';
import type { Files, Format } from './engine.ts';

/** The part of model.json that tells where the weights are. */
interface WeightsManifest {
  readonly weightsManifest?: readonly { readonly paths: readonly string[] }[];
}

/** The SHA-256 of each file of an artifact, in hexadecimal, by its name. */
export type Hashes = Readonly<Record<string, string>>;

/**
 * Fetch an artifact: a file or, for TF.js, a folder or its model.json. Where hashes are given, each
 * file is compared with its own before anything reads it. Throws EngineError.
 */
export async function download(
  format: Format,
  url: string | URL,
  hashes: Hashes | null = null,
): Promise<Files> {
  const isFolder = format === 'tfjs' && !String(url).endsWith('.json');
  const address = isFolder ? `${url}/model.json` : String(url);
  const main = await fetchChecked(address, hashes);
  if (format !== 'tfjs') return { main, shards: [] };
  const folder = address.slice(0, address.lastIndexOf('/') + 1);
  const paths = parseJson<WeightsManifest>(main).weightsManifest?.flatMap((group) => group.paths);
  for (const path of paths ?? []) {
    if (!isBelow(path)) {
      throw new EngineError(`${address} names a weight file elsewhere: '${path}'`);
    }
  }
  const shards = (paths ?? []).map((path) => fetchChecked(folder + path, hashes));
  return { main, shards: await Promise.all(shards) };
}

/** Return whether a path stays in its folder: a stranger's model must not choose what is read. */
function isBelow(path: string): boolean {
  return !path.startsWith('/') && !/^[a-z]+:/i.test(path) && !path.split('/').includes('..');
}

async function fetchChecked(url: string, hashes: Hashes | null): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await fetchBytes(url);
  // Without HTTPS browsers have no WebCrypto, and who changes a file can change the page as well.
  if (!hashes || !globalThis.isSecureContext) return bytes;
  const name = decodeURIComponent(url.slice(url.lastIndexOf('/') + 1));
  if ((await sha256(bytes)) !== hashes[name]) {
    throw new EngineError(`${url} is not the file that this site was made with: it has changed`);
  }
  return bytes;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Return the JSON document in the bytes. Throws EngineError. */
export function parseJson<T>(bytes: Uint8Array): T {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as T;
  } catch (error) {
    throw new EngineError(`model.json is not JSON: ${firstLine(error)}`, { cause: error });
  }
}

/** Return the bytes at an address, relative to the page or worker. Throws EngineError. */
export async function fetchBytes(url: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw new EngineError(`${url} could not be downloaded: ${firstLine(error)}`, { cause: error });
  }
}
