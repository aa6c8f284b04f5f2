// A copy of the pages' sources, to be changed and given to the real tools.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const PARTS = ['src', 'biome.jsonc', 'tsconfig.json', 'runtime-files.mjs'];

export class Copy {
  readonly folder = mkdtempSync(join(tmpdir(), 'edgekit-web-copy-'));

  constructor() {
    for (const part of PARTS) cpSync(part, join(this.folder, part), { recursive: true });
    symlinkSync(resolve('node_modules'), join(this.folder, 'node_modules'));
  }

  /** Write a file of src/. */
  write(path: string, text: string): void {
    const file = join(this.folder, 'src', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** Run a program of node_modules; return its exit status and all that it said. */
  run(program: string, ...words: readonly string[]): { status: number | null; said: string } {
    const { status, stdout, stderr } = spawnSync(
      join(this.folder, 'node_modules/.bin', program),
      words,
      { cwd: this.folder, encoding: 'utf8' },
    );
    return { status, said: stdout + stderr };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
