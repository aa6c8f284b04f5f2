// Writing all of a text to a pipe that somebody else empties.
import { writeSync } from 'node:fs';

/** How long to wait for a full pipe to be emptied before it is tried again. */
const WAIT_MS = 1;

/** Write a text at once and whole: a pipe takes 64 KB at a time, and less or nothing while full. */
export function writeWhole(file: number, text: string): void {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(file, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
    }
  }
}
