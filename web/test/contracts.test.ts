// The linter holds the folders: what it must refuse is planted in a copy.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Copy } from './copy.ts';

/** A folder, and a file that lies above it or beside it. */
const UPWARD: readonly (readonly [folder: string, target: string])[] = [
  ['protocol', '../engines/common/engine.ts'],
  ['engines', '../worker/timing.ts'],
  ['engines/common', '../known.ts'],
  ['engines/tfjs', '../ort-web/about.ts'],
  ['worker', '../runner/progress.ts'],
  ['runner', '../demo/page/dom.ts'],
  ['node', '../runner/progress.ts'],
  ['demo', '../runner/progress.ts'],
  ['demo/page', '../site/site.ts'],
  ['demo/site', '../numbers/format.ts'],
  ['demo/numbers', '../session/session.ts'],
  ['demo/session', '../inputs/pad.ts'],
  ['demo/inputs', '../measure/bench.ts'],
  ['demo/measure', '../views/race.ts'],
  ['demo/views', '../demo.ts'],
  ['a-new-folder', '../protocol/tensors.ts'],
];

interface Diagnostic {
  readonly category: string;
  readonly location: { readonly path: string };
}

let copy: Copy;
before(() => {
  copy = new Copy();
});
after(() => copy.remove());

/** Return the files that the linter refuses by a rule. */
function refused(rule: string): string[] {
  const { said } = copy.run('biome', 'lint', '--reporter=json', '--max-diagnostics=none', 'src');
  const { diagnostics } = JSON.parse(said.slice(said.indexOf('{'), said.lastIndexOf('}') + 1));
  return (diagnostics as Diagnostic[])
    .filter(({ category }) => category === `lint/${rule}`)
    .map(({ location }) => location.path)
    .sort();
}

test('no folder may import one above it or beside it, not even a type, or later', () => {
  assert.deepEqual(refused('style/noRestrictedImports'), []);
  for (const [folder, target] of UPWARD) {
    copy.write(`${folder}/planted-type.ts`, `export type * from '${target}';\n`);
    copy.write(`${folder}/planted-later.ts`, `export const later = () => import('${target}');\n`);
  }
  const expected = UPWARD.flatMap(([folder]) => [
    `src/${folder}/planted-later.ts`,
    `src/${folder}/planted-type.ts`,
  ]);
  assert.deepEqual(refused('style/noRestrictedImports'), expected.sort());
});

test('no files may import each other, not even types', () => {
  assert.deepEqual(refused('suspicious/noImportCycles'), []);
  copy.write(
    'worker/chicken.ts',
    "import type { Egg } from './egg.ts';\nexport type Chicken = Egg;\n",
  );
  copy.write(
    'worker/egg.ts',
    "export type { Chicken } from './chicken.ts';\nexport type Egg = 1;\n",
  );
  assert.deepEqual(refused('suspicious/noImportCycles'), [
    'src/worker/chicken.ts',
    'src/worker/egg.ts',
  ]);
});
