// Predicts for the newest input: it replaces one that waits until the model is no longer busy.

import type { Ran } from './messages.ts';
import type { Session } from './session.ts';

export class Predictor<Input> {
  readonly #run: (session: Session, input: Input) => Promise<Ran>;
  readonly #show: (ran: Ran, input: Input, session: Session) => void;
  readonly #failed: (error: Error, session: Session) => void;
  #session: Session | null = null;
  #input: Input | null = null;
  #isWanted = false;
  #busy: Promise<void> | null = null;

  constructor(
    run: (session: Session, input: Input) => Promise<Ran>,
    show: (ran: Ran, input: Input, session: Session) => void,
    failed: (error: Error, session: Session) => void,
  ) {
    this.#run = run;
    this.#show = show;
    this.#failed = failed;
  }

  get session(): Session | null {
    return this.#session;
  }

  get input(): Input | null {
    return this.#input;
  }

  /** Use another session from now on; the last one is closed. Resolves once it has answered. */
  use(session: Session): Promise<void> {
    const before = this.#session;
    this.#session = session;
    if (before !== session) before?.close();
    return this.#update();
  }

  /** Predict; resolves once this input, or a newer one, is answered. */
  predict(input: Input): Promise<void> {
    this.#input = input;
    return this.#update();
  }

  /** Forget the input; the prediction that is being computed is not shown. */
  forget(): void {
    this.#input = null;
    this.#isWanted = false;
  }

  #update(): Promise<void> {
    this.#isWanted = this.#input !== null && this.#session !== null;
    if (this.#isWanted) this.#busy ??= this.#loop();
    return this.#busy ?? Promise.resolve();
  }

  async #loop(): Promise<void> {
    // So that it ends only after it was noted as busy, whatever happens.
    await null;
    while (this.#isWanted) {
      this.#isWanted = false;
      const [session, input] = [this.#session, this.#input];
      if (!session || input === null) break;
      try {
        const ran = await this.#run(session, input);
        const isAsked = session === this.#session && this.#input !== null;
        if (isAsked) this.#show(ran, input, session);
      } catch (error) {
        // A session that was replaced meanwhile was closed, which is not a failure.
        if (session === this.#session) {
          this.#failed(error instanceof Error ? error : new Error(String(error)), session);
        }
      }
    }
    this.#busy = null;
  }
}
