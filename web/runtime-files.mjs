// The files that the runtimes' own JavaScript fetches: FILES in the about.ts of each engine.
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import esbuild from 'esbuild';

const ENGINES = `${import.meta.dirname}/src/engines`;

/** Return the paths in node_modules by the engines' names. */
export async function runtimeFiles() {
  const files = {};
  for (const engine of await readdir(ENGINES)) {
    const about = `${ENGINES}/${engine}/about.ts`;
    if (!existsSync(about)) continue;
    // Node 20 does not run TypeScript. An about.ts imports only types, so this is all of it.
    const { code } = await esbuild.transform(await readFile(about, 'utf8'), { loader: 'ts' });
    files[engine] = (await import(`data:text/javascript,${encodeURIComponent(code)}`)).FILES;
  }
  return files;
}
