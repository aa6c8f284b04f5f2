// Writes the types of the protocol from the schemas that the Python side checks against.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { compileFromFile } from 'json-schema-to-typescript';

const SCHEMAS = {
  job: '../runtimes/edgekit_runtimes/protocol/job.schema.json',
  results: '../edgekit/results/results.schema.json',
};

const folder = new URL('src/protocol/generated/', import.meta.url);
await mkdir(folder, { recursive: true });
for (const [name, schema] of Object.entries(SCHEMAS)) {
  const types = await compileFromFile(new URL(schema, import.meta.url).pathname, {
    bannerComment: '',
    unreachableDefinitions: true,
    ignoreMinAndMaxItems: true,
    format: false,
  });
  await writeFile(new URL(`${name}.ts`, folder), types);
}

const formats = await readFile(
  new URL('../runtimes/edgekit_runtimes/formats.json', import.meta.url),
  'utf8',
);
await writeFile(
  new URL('formats.ts', folder),
  `export const FORMATS = ${formats.trimEnd()} as const;

export type Format = keyof typeof FORMATS;
export type Backend = (typeof FORMATS)[Format]['page_engines'][number]['backends'][number];
`,
);
