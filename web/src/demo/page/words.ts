// Errors as sentences.

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** The message with a full stop. */
export function sentence(error: unknown): string {
  const text = messageOf(error);
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
