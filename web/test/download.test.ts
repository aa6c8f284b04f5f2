// Each file of an artifact is compared with its hash before anything reads it.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, test } from 'node:test';
import { download } from '../src/engines/common/download.ts';

const MODEL = JSON.stringify({ weightsManifest: [{ paths: ['shard 1.bin'] }] });
const FILES: Record<string, string> = { 'model.json': MODEL, 'shard 1.bin': 'weights' };

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const HASHES = Object.fromEntries(
  Object.entries(FILES).map(([name, text]) => [name, sha256(text)]),
);

const realFetch = globalThis.fetch;

beforeEach(() => {
  Object.defineProperty(globalThis, 'isSecureContext', { value: true, configurable: true });
  globalThis.fetch = async (url) =>
    new Response(FILES[decodeURIComponent(String(url).split('/').at(-1)!)]);
});

afterEach(() => {
  globalThis.fetch = realFetch;
  Reflect.deleteProperty(globalThis, 'isSecureContext');
});

test('files that are as they were made are handed on', async () => {
  const { main, shards } = await download('tfjs', 'https://host/tfjs/fp32', HASHES);
  assert.equal(new TextDecoder().decode(main), MODEL);
  assert.equal(new TextDecoder().decode(shards[0]), 'weights');
});

for (const name of Object.keys(FILES)) {
  test(`${name} with another hash is named and not read`, async () => {
    const hashes = { ...HASHES, [name]: sha256('something else') };
    await assert.rejects(
      download('tfjs', 'https://host/tfjs/fp32', hashes),
      (error: Error) =>
        error.message ===
        `https://host/tfjs/fp32/${name} is not the file that this site was made with: it has changed`,
    );
  });
}

test('a file without a hash is refused where others have one', async () => {
  const { 'shard 1.bin': _, ...rest } = HASHES;
  await assert.rejects(download('tfjs', 'https://host/tfjs/fp32', rest), /shard 1\.bin is not/);
});
