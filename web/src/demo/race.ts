// A race: which back end answers fastest on this machine, with this model and this input.

import type { Tensors } from '../protocol/tensors.ts';
import { type Choice, choiceKey } from './choices.ts';
import { Session } from './session.ts';
import { median } from './statistics.ts';
import type { Lap } from './views.ts';
import { messageOf } from './words.ts';

/** Long enough to see twice the time of a millisecond's run through a clock of .1 ms. */
const BLOCK_MS = 60;
const BLOCK_RUNS = 30;
/** Forth and back, so that a machine that gets slower or faster meets all alike. */
const ROUNDS = 2;
/** Who needs so many times the best one's time is out after its first run. */
const HOPELESS = 5;
/** Who leads by less has not won: moving costs the visitor a changed page. */
export const CLEAR_LEAD = 0.9;

interface Runner {
  readonly choice: Choice;
  readonly session: Session;
  readonly samples: number[];
}

/**
 * Race the choices against the session that runs now, and return its rivals' times with its own,
 * and the winner's session; all others but the current one are closed.
 * report: called with what is known so far. signal: ends the race; it throws then.
 */
export async function race(
  current: Session,
  rivals: readonly Choice[],
  inputs: Tensors,
  report: (laps: readonly Lap[], running: Choice | null) => void,
  signal: AbortSignal,
): Promise<{ laps: readonly Lap[]; winner: Session }> {
  const runners: Runner[] = [{ choice: current.choice, session: current, samples: [] }];
  const laps = new Map<string, Lap>();
  const note = (choice: Choice, ns: number | null, reason: string | null = null) =>
    laps.set(choiceKey(choice), { choice, ns, reason });
  const best = () => Math.min(...runners.map(({ samples }) => median(samples)));
  const close = (kept?: Session) => {
    for (const { session } of runners) {
      if (session !== current && session !== kept) session.close();
    }
  };
  const say = (running: Choice | null) => report([...laps.values()], running);
  try {
    await block(current, inputs, runners[0]?.samples);
    note(current.choice, best());
    for (const choice of rivals) {
      signal.throwIfAborted();
      say(choice);
      try {
        const session = await Session.open(choice);
        const runner: Runner = { choice, session, samples: [] };
        runners.push(runner);
        await session.run(inputs);
        const { samples } = await session.run(inputs);
        runner.samples.push(...samples);
        note(choice, median(samples));
        if (median(samples) > HOPELESS * best()) {
          runners.pop();
          session.close();
        }
      } catch (error) {
        if (current.isClosed) throw error;
        note(choice, null, messageOf(error));
      }
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      const order = round % 2 ? [...runners].reverse() : runners;
      for (const { choice, session, samples } of order) {
        signal.throwIfAborted();
        say(choice);
        await block(session, inputs, samples);
        note(choice, median(samples));
      }
    }
  } catch (error) {
    close();
    throw error;
  }
  const [fastest] = [...runners].sort((a, b) => median(a.samples) - median(b.samples));
  const own = median(runners[0]?.samples ?? []);
  const isClear = fastest && median(fastest.samples) < CLEAR_LEAD * own;
  const winner = isClear ? fastest.session : current;
  close(winner);
  const sorted = [...laps.values()].sort((a, b) => (a.ns ?? Infinity) - (b.ns ?? Infinity));
  return { laps: sorted, winner };
}

async function block(session: Session, inputs: Tensors, samples: number[] = []): Promise<void> {
  samples.push(...(await session.run(inputs, BLOCK_RUNS, BLOCK_MS)).samples);
}
