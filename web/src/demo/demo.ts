// The state of the page: what runs, on which input, and what happens when the visitor chooses.

import { ENGINES } from '../engines/known.ts';
import type { Tensors } from '../protocol/tensors.ts';
import { type InputView, showInput } from './inputs/inputs.ts';
import { SampleStrip } from './inputs/samples.ts';
import type { Lap } from './measure/race.ts';
import { time } from './numbers/format.ts';
import { Latency } from './numbers/latency.ts';
import { readOutput } from './numbers/prediction.ts';
import { byId, say } from './page/dom.ts';
import { messageOf, sentence } from './page/words.ts';
import { Predictor } from './session/predictor.ts';
import { Session } from './session/session.ts';
import {
  type Choice,
  choiceKey,
  moveTo,
  placeKey,
  placeLabel,
  startChoices,
  startPlaces,
} from './site/choices.ts';
import {
  type Golden,
  type Input,
  loadFirst,
  loadGolden,
  outputOf,
  ready,
  row,
  sampleOf,
} from './site/golden.ts';
import type { Site } from './site/site.ts';
import { showMachine, showSize } from './views/facts.ts';
import { showLatency } from './views/latency.ts';
import { showPredictions } from './views/prediction.ts';
import { showRace } from './views/race.ts';
import { Selects } from './views/selects.ts';

/** After a model is loaded it is run again, up to this many times or for this long. */
const BURST_RUNS = 60;
const BURST_MS = 1500;
const BURST_STEP_MS = 80;

const NO_RACE = 'Find the fastest races every engine.';

/** The mark that scripts wait for when they watch the page. */
const FIRST_PREDICTION = 'first-prediction';

export class Demo {
  readonly #site: Site;
  readonly #selects: Selects;
  readonly #find = byId<HTMLButtonElement>('find');
  readonly #predictor: Predictor<Input>;
  readonly #strip: SampleStrip;
  readonly #view: InputView;
  #golden: Golden | null = null;
  #latency = new Latency();
  #race: AbortController | null = null;
  #wanted: Choice | null = null;
  /** The choices that stopped since the last prediction. */
  readonly #stopped = new Set<string>();

  constructor(site: Site) {
    this.#site = site;
    this.#predictor = new Predictor<Input>(
      (session, input) => session.run(ready(input, session.opened.inputs, site)),
      ({ outputs, samples }, input, session) => {
        this.#stopped.clear();
        this.#latency.add(samples);
        this.#show(outputs, input);
        showLatency(this.#latency, session);
      },
      (error, session) => void this.#goOn(error, session),
    );
    this.#selects = new Selects(site, (choice) => void this.#choose(choice));
    this.#strip = new SampleStrip(byId('samples'), site.golden.count, site.picture, (index) =>
      this.#takeSample(index),
    );
    this.#view = showInput(byId('input'), site, (tensors) => this.#take(tensors));
    this.#find.addEventListener('click', () => void this.#findFastest());
  }

  /** Load the first model that works and predict with it. Returns what its worker downloaded. */
  async start(): Promise<readonly string[]> {
    const first = loadFirst(this.#site);
    // This is awaited below, once there is a model.
    first.catch(() => {});
    const session = await this.#openFirst(startChoices(this.#site));
    try {
      this.#view.show(await first);
      this.#strip.mark(0);
      await this.#predictor.predict(await first);
      performance.mark(FIRST_PREDICTION);
      await this.#loadSamples();
    } catch (error) {
      say(`${sentence(error)} There are no samples to show.`, true);
    }
    this.#selects.enable();
    this.#find.disabled = false;
    await this.#burst(session);
    const described = await session.describe().catch(() => null);
    showMachine(described?.facts ?? null);
    return described?.fetched ?? [];
  }

  /** Race the back ends of the engine that runs, if the page may start on several of them. */
  async raceBackEnds(): Promise<void> {
    const { session } = this.#predictor;
    if (!session || this.#race) return;
    const { engine } = session.choice;
    if (startPlaces(engine).length < 2) return;
    const { backendsOf } = await import('./measure/rivals.ts');
    const rivals = await backendsOf(this.#site, session.choice);
    await this.#runRace(session, rivals, `${ENGINES[engine].label}’s back ends`);
  }

  /** Open the first choice that works. Throws an Error that says why each of them does not. */
  async #openFirst(choices: readonly Choice[], before = ''): Promise<Session> {
    const reasons = new Set(before ? [before] : []);
    for (const choice of choices) {
      try {
        const session = await Session.open(choice);
        this.#adopt(session, [...reasons].join(' '));
        return session;
      } catch (error) {
        reasons.add(sentence(error));
      }
    }
    throw new Error(`No artifact of this bundle runs here. ${[...reasons].join(' ')}`);
  }

  /** Let a session answer from now on. before: what went wrong before it. */
  #adopt(session: Session, before = ''): void {
    const { choice, opened } = session;
    this.#latency = new Latency();
    this.#wanted = choice;
    this.#selects.show(choice);
    showSize(choice.artifact, this.#site);
    const ns = opened.startNs + opened.downloadNs + opened.loadNs;
    say(`${before} ${placeLabel(choice)} is ready after ${time(ns)}.`.trim(), before !== '');
    void this.#predictor.use(session);
  }

  #show(outputs: Tensors, { golden }: Input): void {
    const predictions = this.#site.outputs.flatMap((spec) => {
      const output = outputOf(outputs, spec.name);
      const originals = this.#golden?.outputs[spec.name];
      const original = originals && golden !== null ? numbers(row(originals, golden)) : null;
      return output ? [readOutput(spec, numbers(output), original, this.#site.classes)] : [];
    });
    showPredictions(predictions);
  }

  // --- inputs ------------------------------------------------------------------------------------

  async #take(tensors: Tensors | null): Promise<void> {
    this.#strip.mark(null);
    if (tensors) {
      await this.#predictor.predict({ tensors, golden: null });
    } else {
      this.#predictor.forget();
      showPredictions([]);
    }
  }

  #takeSample(index: number): void {
    if (!this.#golden) return;
    const input = sampleOf(this.#golden.inputs, index);
    this.#view.show(input);
    this.#strip.mark(index);
    void this.#predictor.predict(input);
  }

  async #loadSamples(): Promise<void> {
    const { picture, inputs } = this.#site;
    this.#golden = await loadGolden(this.#site);
    const images = this.#golden.inputs[inputs[0]?.name ?? ''];
    if (picture && images) this.#strip.paint(images, picture);
    const { input } = this.#predictor;
    // Once more, now that the original's answer is known.
    if (input && input.golden !== null) await this.#predictor.predict(input);
  }

  // --- choices -----------------------------------------------------------------------------------

  /** Load what the visitor chose; the model before it keeps running until that is ready. */
  async #choose(choice: Choice): Promise<void> {
    this.#race?.abort();
    this.#wanted = choice;
    this.#selects.show(choice);
    showRace([], choice, null, NO_RACE);
    say(`Loading ${choice.artifact.id} on ${placeLabel(choice)}.`);
    try {
      const session = await Session.open(choice);
      if (this.#wanted !== choice) {
        session.close();
        return;
      }
      this.#adopt(session);
      await this.#burst(session);
    } catch (error) {
      if (this.#wanted === choice) this.#stay(choice, error);
    }
  }

  /** Say why a choice failed; the model before it still runs. */
  #stay({ artifact }: Choice, error: unknown): void {
    const before = this.#predictor.session?.choice;
    if (before) this.#selects.show(before);
    this.#wanted = before ?? null;
    const rest = before ? `${before.artifact.id} on ${placeLabel(before)} keeps running.` : '';
    say(`${artifact.id}: ${sentence(error)} ${rest}`.trim(), true);
  }

  /** Go on elsewhere after a model stopped on the way, because a graphics context was lost. */
  async #goOn(error: Error, { choice }: Session): Promise<void> {
    const lost = `${placeLabel(choice)} stopped: ${sentence(error)}`;
    say(lost, true);
    this.#stopped.add(choiceKey(choice));
    const others = startChoices(this.#site).filter((other) => placeKey(other) !== placeKey(choice));
    const same = others.filter(({ engine }) => engine === choice.engine);
    const moved = same.flatMap((place) => moveTo(place, choice.artifact, this.#site) ?? []);
    const left = [...moved, ...others].filter((other) => !this.#stopped.has(choiceKey(other)));
    await this.#openFirst(left, lost).catch((second) => say(messageOf(second), true));
  }

  // --- times -------------------------------------------------------------------------------------

  /** Run the model for a moment, so that there are times to look at. */
  async #burst(session: Session): Promise<void> {
    const { input } = this.#predictor;
    if (!input) return;
    const inputs = ready(input, session.opened.inputs, this.#site);
    const end = performance.now() + BURST_MS;
    while (this.#latency.samples.length < BURST_RUNS && performance.now() < end) {
      const ran = await session.run(inputs, BURST_RUNS, BURST_STEP_MS).catch(() => null);
      if (!ran || this.#predictor.session !== session) return;
      this.#latency.add(ran.samples);
      showLatency(this.#latency, session);
    }
  }

  async #findFastest(): Promise<void> {
    const { session } = this.#predictor;
    if (!session) return;
    const { everyEngine } = await import('./measure/rivals.ts');
    await this.#runRace(session, await everyEngine(this.#site, session.choice), 'every engine');
  }

  /** Race the session against its rivals and move to the winner. A visitor's choice stops it. */
  async #runRace(session: Session, rivals: readonly Choice[], what: string): Promise<void> {
    const { input } = this.#predictor;
    if (!input || this.#predictor.session !== session) return;
    this.#race?.abort();
    const stop = new AbortController();
    this.#race = stop;
    this.#find.disabled = true;
    let laps: readonly Lap[] = [];
    const isOver = () => stop.signal.aborted || this.#predictor.session !== session;
    const report = (known: readonly Lap[], running: Choice | null) => {
      laps = known;
      if (!isOver()) showRace(laps, session.choice, running, '');
    };
    try {
      const inputs = ready(input, session.opened.inputs, this.#site);
      const others = rivals.filter((choice) => choiceKey(choice) !== choiceKey(session.choice));
      const { race } = await import('./measure/race.ts');
      const { laps: all, winner } = await race(session, others, inputs, report, stop.signal);
      const moves = winner !== session;
      if (isOver()) {
        if (moves) winner.close();
        return;
      }
      const verdict = moves
        ? `moved from ${placeLabel(session.choice)} to ${placeLabel(winner.choice)}`
        : `${placeLabel(session.choice)} stays`;
      showRace(all, winner.choice, null, `A short race of ${what}: ${verdict}.`);
      if (moves) this.#adopt(winner);
      if (moves) await this.#burst(winner);
    } catch (error) {
      if (stop.signal.aborted) showRace([], session.choice, null, NO_RACE);
      else showRace(laps, session.choice, null, sentence(error));
    } finally {
      this.#find.disabled = false;
    }
  }
}

const numbers = ({ data }: Tensors[string]): number[] => Array.from(data, Number);
