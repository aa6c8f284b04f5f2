// The worker under Node: reads a job from standard input, writes its events to standard output as
// JSON lines, as edgekit_runtimes/worker.py does.
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { firstLine } from '../protocol/errors.ts';
import type { Job } from '../protocol/generated/job.ts';
import { runJob } from '../worker/worker.ts';
import { becomePage } from './page.ts';
import { NODE } from './place.ts';
import { writeWhole } from './whole.ts';

const STDOUT = 1;
const STDERR = 2;

/** End with the reason as the last line on standard error; Node's own last line is its version. */
function fail(error: unknown): never {
  const name = error instanceof Error ? `${error.name}: ` : '';
  writeWhole(STDERR, `${name}${firstLine(error)}\n`);
  process.exit(1);
}

process.on('uncaughtException', fail);
// As a stream: Node may have made the pipe non-blocking, and readFileSync then throws EAGAIN.
const job = JSON.parse(await text(process.stdin)) as Job;
becomePage();
await runJob(
  job,
  // Written at once: the next step may end the process. When nobody reads any more, this throws.
  (event) => writeWhole(STDOUT, `${JSON.stringify(event)}\n`),
  NODE,
).catch(fail);
// Threads of WebAssembly would keep the process alive.
process.exit(0);
