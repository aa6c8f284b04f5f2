// What goes wrong, in one plain sentence each.

/** An engine could not start, load or run. */
export class EngineError extends Error {
  override name = 'EngineError';
}

/** The samples do not fit the model. */
export class DataError extends Error {
  override name = 'DataError';
}

const LONGEST_LINE = 300;

/** Return the first line that is not empty, for use inside a one-line message. */
export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message || error.name : String(error);
  const line =
    message
      .split('\n')
      .map((text) => text.trim())
      .find((text) => text !== '') ?? 'no reason given';
  return line.length <= LONGEST_LINE ? line : `${line.slice(0, LONGEST_LINE - 1)}…`;
}

/** Says in one line what an error means. */
export type Explain = (error: unknown) => string;

/**
 * Do the work. An error that is not one of ours becomes an EngineError: `message`, a colon and what
 * `explain` says.
 */
export async function mapErrors<T>(
  message: string,
  work: () => T | Promise<T>,
  explain: Explain = firstLine,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof EngineError || error instanceof DataError) throw error;
    throw new EngineError(`${message}: ${explain(error)}`, { cause: error });
  }
}
