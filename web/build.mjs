// Builds the pages: node build.mjs [FOLDER]
//
// The folder gets one HTML file per page, assets/ with their scripts and what these share, and
// runtimes/ENGINE/ with the runtimes' own files. It appears as a whole or not at all.
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import esbuild from 'esbuild';
import './generate.mjs';
import { licences } from './licences.mjs';
import { runtimeFiles } from './runtime-files.mjs';

const WEB = import.meta.dirname;
const PAGES = resolve(process.argv[2] ?? `${WEB}/../runtimes/edgekit_runtimes/pages`);
const DRAFT = `${PAGES}.draft`;

// Entry points: the file to write (without .js) and its source.
const SCRIPTS = {
  'assets/runner': 'src/runner/main.ts',
  'assets/demo': 'src/demo/main.ts',
  'assets/demo-style': 'src/demo/demo.css',
  'assets/demo-worker': 'src/demo/session/worker.ts',
  sw: 'src/demo/sw.ts',
  'assets/node': 'src/node/main.ts',
  'assets/node-thread': 'src/node/thread.ts',
};

const HTML = { 'runner.html': 'src/runner/index.html', 'demo.html': 'src/demo/index.html' };

await rm(DRAFT, { recursive: true, force: true });
await esbuild.build({
  absWorkingDir: WEB,
  entryPoints: SCRIPTS,
  outdir: DRAFT,
  chunkNames: 'assets/[name]-[hash]',
  bundle: true,
  external: ['node:*'],
  splitting: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  // Otherwise onnxruntime-web's glue is in the bundle, and also in a file, for threads.
  conditions: ['onnxruntime-web-use-extern-wasm'],
  legalComments: 'external',
  logLevel: 'warning',
});
for (const [name, source] of Object.entries(HTML)) await cp(`${WEB}/${source}`, `${DRAFT}/${name}`);
for (const [engine, files] of Object.entries(await runtimeFiles())) {
  const folder = `${DRAFT}/runtimes/${engine}`;
  await mkdir(folder, { recursive: true });
  for (const file of files) await cp(`${WEB}/node_modules/${file}`, `${folder}/${basename(file)}`);
}
// Without it Node takes the scripts for CommonJS.
await writeFile(`${DRAFT}/package.json`, '{ "type": "module" }\n');
await writeFile(`${DRAFT}/licences.txt`, await licences(WEB));
await writeFile(`${DRAFT}/sizes.json`, `${JSON.stringify(await wireSizes(), null, 1)}\n`);
await rm(PAGES, { recursive: true, force: true });
await rename(DRAFT, PAGES);

/** Return the bytes of each page and script with brotli, as a good host sends them. */
async function wireSizes() {
  const names = (await readdir(DRAFT, { recursive: true })).filter((name) =>
    /\.(html|js|css)$/.test(name),
  );
  const sizes = {};
  for (const name of names.filter((name) => !name.startsWith('runtimes')).sort()) {
    sizes[name] = brotliCompressSync(await readFile(`${DRAFT}/${name}`)).length;
  }
  return sizes;
}
