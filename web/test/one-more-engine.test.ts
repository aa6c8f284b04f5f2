// One more engine is a folder and an entry in known.ts: nothing else is changed in this copy.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { placesOf } from '../src/demo/site/choices.ts';
import type { Site } from '../src/demo/site/site.ts';
import type { Event, Job } from '../src/protocol/generated/job.ts';
import { decode } from '../src/protocol/tensors.ts';
import type { runJob } from '../src/worker/worker.ts';
import { Copy } from './copy.ts';
import './navigator.ts';
import { npy } from './tiny.ts';

const ABOUT = `import type { EngineInfo } from '../common/runtime.ts';

export const negate: EngineInfo = {
  label: 'Negate',
  format: 'onnx',
  backends: ['cpu'],
  module: () => import('./negate.ts'),
};

export const FILES = ['esbuild/package.json'];
`;

const MODULE = `import type { Tensor } from '../../protocol/tensors.ts';
import { Loss } from '../common/loss.ts';
import type { NativeModel, Runtime } from '../common/runtime.ts';

export async function start(): Promise<Runtime> {
  return { version: '1', loss: new Loss(), load: async () => model };
}

const shape = [null, 2];
const model: NativeModel<Tensor> = {
  inputs: [{ name: 'x', shape, dtype: 'float32' }],
  outputs: [{ name: 'y', shape, dtype: 'float32' }],
  upload: (tensor) => tensor,
  execute: async ({ x }) => ({ y: { ...x!, data: (x!.data as Float32Array).map((v) => -v) } }),
  read: async (tensor) => tensor,
  free: () => {},
  dispose: () => {},
};
`;

const PARTS = `export { placesOf } from './demo/site/choices.ts';
export { runJob } from './worker/worker.ts';
`;

interface Parts {
  readonly runJob: typeof runJob;
  readonly placesOf: typeof placesOf;
}

let copy: Copy;
before(() => {
  copy = new Copy();
  copy.write('engines/negate/about.ts', ABOUT);
  copy.write('engines/negate/negate.ts', MODULE);
  const known = readFileSync('src/engines/known.ts', 'utf8')
    .replace('import { ortWeb }', "import { negate } from './negate/about.ts';\nimport { ortWeb }")
    .replace("'ort-web': ortWeb }", "'ort-web': ortWeb, negate }");
  copy.write('engines/known.ts', known);
});
after(() => copy.remove());

test('one more engine passes the linter and the compiler', () => {
  const linted = copy.run('biome', 'check', '--error-on-warnings', 'src');
  assert.equal(linted.status, 0, linted.said);
  const compiled = copy.run('tsc');
  assert.equal(compiled.status, 0, compiled.said);
});

test('one more engine runs jobs, stands in the demo, and has its files copied', async () => {
  copy.write('parts.ts', PARTS);
  const { status, said } = copy.run(
    'esbuild',
    ...['src/parts.ts', '--outfile=parts.cjs', '--bundle', '--platform=node'],
    ...['--external:@litertjs/*', '--external:@tensorflow/*', '--external:onnxruntime-web'],
    '--log-override:empty-import-meta=silent',
  );
  assert.equal(status, 0, said);
  const parts: Parts = createRequire(copy.folder)(join(copy.folder, 'parts.cjs'));
  const data = Buffer.from(npy([1, 2], [3, -4])).toString('base64');
  const job: Job = {
    schema: 1,
    models: [{ id: 'a', engine: 'negate', path: 'data:,', options: {} }],
    inputs: { x: `data:;base64,${data}` },
    preprocessing: { scale: 1, mean: [], std: [], resize: null },
    plan: null,
    outputs: 1,
  };
  const events: Event[] = [];
  await parts.runJob(job, (event) => void events.push(event));
  const outputs = events.find((event) => event.event === 'outputs');
  assert.deepEqual([...decode(outputs!.arrays.y!).data], [-3, 4]);

  const site = { artifacts: [{ format: 'onnx' }] } as unknown as Site;
  const places = parts.placesOf(site, 1).filter(({ backend }) => backend === 'cpu');
  assert.deepEqual(places, [{ engine: 'negate', backend: 'cpu', threads: 1 }]);

  const { runtimeFiles } = await import(pathToFileURL(join(copy.folder, 'runtime-files.mjs')).href);
  assert.deepEqual((await runtimeFiles()).negate, ['esbuild/package.json']);
});
