// A race: which back end answers fastest on this machine, with this model and this input.

import type { Tensors } from '../../protocol/tensors.ts';
import { median } from '../numbers/statistics.ts';
import { messageOf } from '../page/words.ts';
import { Session } from '../session/session.ts';
import { type Choice, choiceKey } from '../site/choices.ts';

/** Long enough to tell a time from its double with runs of a millisecond and a clock of .1 ms. */
const BLOCK_MS = 60;
const BLOCK_RUNS = 30;
/** Forth and back, so that a machine that gets slower or faster affects all alike. */
const ROUNDS = 2;
/** Who needs this many times as long as the best one is out after the first run. */
const HOPELESS = 5;
/** Who leads by less has not won: moving changes the page under the visitor. */
const CLEAR_LEAD = 0.9;

/** One runner's result. reason: why there is no time. */
export interface Lap {
  readonly choice: Choice;
  readonly ns: number | null;
  readonly reason: string | null;
}

interface Runner {
  readonly choice: Choice;
  readonly session: Session;
  readonly samples: number[];
}

/**
 * Race the choices against the session that runs now, and return its rivals' times with its own,
 * and the winner's session; all others but the current one are closed.
 * report: called with what is known so far. signal: ends the race, which then throws.
 */
export async function race(
  current: Session,
  rivals: readonly Choice[],
  inputs: Tensors,
  report: (laps: readonly Lap[], running: Choice | null) => void,
  signal: AbortSignal,
): Promise<{ laps: readonly Lap[]; winner: Session }> {
  const own: Runner = { choice: current.choice, session: current, samples: [] };
  let runners = [own];
  const laps = new Map<string, Lap>();
  const note = (choice: Choice, ns: number | null, reason: string | null = null) =>
    laps.set(choiceKey(choice), { choice, ns, reason });
  const leave = (runner: Runner) => {
    runners = runners.filter((other) => other !== runner);
    if (runner !== own) runner.session.close();
  };
  const start = (choice: Choice) => {
    signal.throwIfAborted();
    report([...laps.values()], choice);
  };
  try {
    await run(own, inputs);
    note(own.choice, median(own.samples));
    for (const choice of rivals) {
      start(choice);
      const runner = await enter(choice, inputs).catch((error: unknown) => messageOf(error));
      if (typeof runner === 'string') {
        note(choice, null, runner);
        continue;
      }
      runners.push(runner);
      note(choice, median(runner.samples));
      const best = Math.min(...runners.map(({ samples }) => median(samples)));
      if (median(runner.samples) > HOPELESS * best) leave(runner);
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const runner of round % 2 ? runners.toReversed() : runners) {
        start(runner.choice);
        try {
          await run(runner, inputs);
          note(runner.choice, median(runner.samples));
        } catch (error) {
          if (runner === own) throw error;
          note(runner.choice, null, messageOf(error));
          leave(runner);
        }
      }
    }
  } catch (error) {
    for (const runner of runners) leave(runner);
    throw error;
  }
  const fastest = runners.reduce((a, b) => (median(b.samples) < median(a.samples) ? b : a));
  const isClear = median(fastest.samples) < CLEAR_LEAD * median(own.samples);
  const winner = isClear ? fastest : own;
  for (const runner of runners) if (runner !== winner) leave(runner);
  const sorted = [...laps.values()].sort((a, b) => (a.ns ?? Infinity) - (b.ns ?? Infinity));
  return { laps: sorted, winner: winner.session };
}

/** Load a rival and run it twice: once to compile, once for a first time. */
async function enter(choice: Choice, inputs: Tensors): Promise<Runner> {
  const session = await Session.open(choice);
  try {
    await session.run(inputs);
    const { samples } = await session.run(inputs);
    return { choice, session, samples: [...samples] };
  } catch (error) {
    session.close();
    throw error;
  }
}

async function run({ session, samples }: Runner, inputs: Tensors): Promise<void> {
  samples.push(...(await session.run(inputs, BLOCK_RUNS, BLOCK_MS)).samples);
}
