// Numbers as people read them: three significant digits, as edgekit/text/units.py writes them,
// each in the unit that suits it.

/** Smaller differences do not matter to anybody. */
const LEAST_SHOWN = 0.001;

type Units = readonly (readonly [word: string, size: number])[];

const BYTES: Units = [
  ['MB', 1e6],
  ['KB', 1e3],
  ['B', 1],
];
const TIMES: Units = [
  ['s', 1e9],
  ['ms', 1e6],
  ['µs', 1e3],
  ['ns', 1],
];

/** A value with three significant digits and no exponent. */
export function significant(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const rounded = Number(value.toPrecision(3));
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded))));
  return rounded.toFixed(Math.min(decimals, 20));
}

function withUnit(value: number, units: Units): string {
  const fitting = units.find(([, size]) => value >= size) ?? units.at(-1);
  const [word, size] = fitting ?? ['', 1];
  return `${significant(value / size)} ${word}`;
}

/** A difference, which may be too small to matter. */
export const difference = (value: number): string =>
  value === 0 || Math.abs(value) >= LEAST_SHOWN ? significant(value) : `< ${LEAST_SHOWN}`;

/** Bytes in decimal units, as download sizes are. */
export const bytes = (value: number): string => withUnit(value, BYTES);

/** Nanoseconds in the unit that suits them. */
export const time = (ns: number): string => withUnit(ns, TIMES);

/** A share in percent with one decimal, rounded down: only 1 is "100.0". */
export const percent = (share: number): string =>
  `${(Math.floor(share * 1000 + 1e-6) / 10).toFixed(1)} %`;
