// Bundles the unit tests and runs them with Node's own runner: npm test [PART OF A FILE'S NAME]
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import esbuild from 'esbuild';
import '../generate.mjs';

const TESTS = import.meta.dirname;
const wanted = process.argv[2] ?? '';
const files = readdirSync(TESTS, { recursive: true }).filter(
  (name) => name.endsWith('.test.ts') && name.includes(wanted),
);
const folder = mkdtempSync(join(tmpdir(), 'edgekit-web-'));
try {
  const own = join(TESTS, '../../.venv/bin/python');
  const python = existsSync(own) ? own : 'python3';
  const made = spawnSync(python, [join(TESTS, 'make_vectors.py')], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(made.stderr || `${python} cannot be run`);
  const vectors = join(folder, 'vectors.json');
  writeFileSync(vectors, made.stdout);
  await esbuild.build({
    absWorkingDir: TESTS,
    entryPoints: files,
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    sourcemap: 'inline',
    // The address of a script is asked for only where files of a runtime are fetched.
    logOverride: { 'empty-import-meta': 'silent' },
    logLevel: 'warning',
  });
  const scripts = files.map((name) => join(folder, name.replace(/\.ts$/, '.cjs')));
  const { status } = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...scripts], {
    stdio: 'inherit',
    env: { ...process.env, EDGEKIT_VECTORS: vectors },
  });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}
