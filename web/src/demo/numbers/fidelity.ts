// Agreement with the original's outputs: the same figures as edgekit/results/fidelity.py.

import type { Fidelity, NumberOrInfinite as Finite } from '../../protocol/generated/results.ts';
import type { Tensor, Tensors } from '../../protocol/tensors.ts';

type OutputFidelity = Fidelity['outputs'][string];
type WorstFidelity = Fidelity['worst'];

/** Which share of the samples may have less than `sqnr_p5_db`. */
const LOW_SHARE = 0.05;

const toFinite = (value: number): Finite =>
  Number.isFinite(value) ? value : value > 0 ? 'inf' : '-inf';

const fromFinite = (value: Finite): number =>
  Number(value === 'inf' ? Infinity : value === '-inf' ? -Infinity : value);

/** Compares outputs with the original's as they arrive, samples along the first axis. */
export class FidelityAccumulator {
  readonly #sums: ReadonlyMap<string, OutputSums>;

  constructor(original: Tensors) {
    this.#sums = new Map(
      Object.entries(original).map(([name, tensor]) => [name, new OutputSums(name, tensor)]),
    );
  }

  /** Take in the outputs of the samples from number `start` on. Throws if they do not fit. */
  add(start: number, outputs: Tensors): void {
    for (const [name, sums] of this.#sums) {
      const output = outputs[name];
      if (!output) {
        const names = Object.keys(outputs).join(', ') || 'none';
        throw new Error(`the artifact has no output '${name}'; it has ${names}`);
      }
      sums.add(start, output);
    }
  }

  /** The fidelity over the samples so far; null where there is no original to judge by. */
  result(): Fidelity | null {
    if (this.#sums.size === 0) return null;
    const outputs = Object.fromEntries(
      [...this.#sums].map(([name, sums]) => [name, sums.result()] as const),
    );
    return { outputs, worst: worst(Object.values(outputs)) };
  }
}

function worst(outputs: readonly OutputFidelity[]): WorstFidelity {
  const shares = outputs.flatMap((output) => (output.top1 === null ? [] : [output.top1]));
  return {
    top1: shares.length ? Math.min(...shares) : null,
    cosine: Math.min(...outputs.map((output) => output.cosine)),
    sqnr_db: toFinite(Math.min(...outputs.map((output) => fromFinite(output.sqnr_db)))),
    max_abs_error: toFinite(Math.max(...outputs.map((output) => fromFinite(output.max_abs_error)))),
    nan: outputs.reduce((total, output) => total + output.nan, 0),
    sqnr_p5_db: toFinite(
      Math.min(...outputs.map((output) => fromFinite(output.sqnr_p5_db ?? 'inf'))),
    ),
  };
}

/** The running sums of one output. */
class OutputSums {
  readonly #name: string;
  readonly #original: Tensor;
  readonly #classes: number;
  #samples = 0;
  #positions = 0;
  #agreeing = 0;
  #dot = 0;
  #originalPower = 0;
  #artifactPower = 0;
  #errorPower = 0;
  #maxAbsError = 0;
  #nan = 0;
  #originalNan = 0;
  readonly #levels: number[] = [];

  constructor(name: string, original: Tensor) {
    this.#name = name;
    this.#original = original;
    const last = original.shape.length > 1 ? (original.shape.at(-1) ?? 0) : 0;
    this.#classes = original.dtype.startsWith('float') && last >= 2 ? last : 0;
  }

  add(start: number, output: Tensor): void {
    const [count = 0, ...rest] = output.shape;
    const [available = 0, ...wanted] = this.#original.shape;
    const size = wanted.reduce((product, axis) => product * axis, 1);
    if (rest.join() !== wanted.join() || start + count > available) {
      throw new Error(
        `output '${this.#name}' has shape [${output.shape.join(', ')}] and the original's has ` +
          `[${this.#original.shape.join(', ')}]`,
      );
    }
    const actual = Float64Array.from(output.data, Number);
    const expected = Float64Array.from(
      this.#original.data.slice(start * size, (start + count) * size),
      Number,
    );
    this.#samples += count;
    if (this.#classes) this.#addTop1(expected, actual);
    for (const [index, value] of expected.entries()) this.#addElement(value, actual[index] ?? NaN);
    for (let first = 0; first < count * size; first += size) {
      const end = first + size;
      this.#levels.push(levelOfSample(expected.subarray(first, end), actual.subarray(first, end)));
    }
  }

  #addElement(expected: number, actual: number): void {
    if (!Number.isFinite(expected)) this.#originalNan += 1;
    else if (!Number.isFinite(actual)) this.#nan += 1;
    else {
      const error = actual - expected;
      this.#dot += expected * actual;
      this.#originalPower += expected * expected;
      this.#artifactPower += actual * actual;
      this.#errorPower += error * error;
      this.#maxAbsError = Math.max(this.#maxAbsError, Math.abs(error));
    }
  }

  #addTop1(expected: Float64Array, actual: Float64Array): void {
    for (let start = 0; start < expected.length; start += this.#classes) {
      const one = expected.subarray(start, start + this.#classes);
      const other = actual.subarray(start, start + this.#classes);
      const fine = one.every(Number.isFinite) && other.every(Number.isFinite);
      this.#positions += 1;
      if (fine && argmax(one) === argmax(other)) this.#agreeing += 1;
    }
  }

  result(): OutputFidelity {
    return {
      samples: this.#samples,
      top1: this.#positions ? this.#agreeing / this.#positions : null,
      cosine: this.#cosine(),
      sqnr_db: toFinite(this.#sqnr()),
      max_abs_error: this.#nan ? 'inf' : this.#maxAbsError,
      nan: this.#nan,
      original_nan: this.#originalNan,
      sqnr_p5_db: toFinite(this.#lowLevel()),
    };
  }

  #cosine(): number {
    if (this.#nan) return 0;
    const norms = Math.sqrt(this.#originalPower) * Math.sqrt(this.#artifactPower);
    if (norms > 0) return Math.max(-1, Math.min(1, this.#dot / norms));
    return this.#originalPower === this.#artifactPower ? 1 : 0;
  }

  #lowLevel(): number {
    const place = Math.floor(LOW_SHARE * (this.#samples - 1));
    return [...this.#levels].sort((a, b) => a - b)[place] ?? NaN;
  }

  #sqnr(): number {
    return this.#nan ? -Infinity : levelOf(this.#originalPower, this.#errorPower);
  }
}

/** The SQNR of one sample in dB. */
function levelOfSample(expected: Float64Array, actual: Float64Array): number {
  let power = 0;
  let errorPower = 0;
  for (const [index, value] of expected.entries()) {
    const found = actual[index] ?? NaN;
    if (!Number.isFinite(value)) continue;
    if (!Number.isFinite(found)) return -Infinity;
    power += value * value;
    errorPower += (found - value) ** 2;
  }
  return levelOf(power, errorPower);
}

function levelOf(power: number, errorPower: number): number {
  if (errorPower === 0) return Infinity;
  return power === 0 ? -Infinity : 10 * Math.log10(power / errorPower);
}

/** The index of the largest value; the first one among equals, as in numpy. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < values.length; index += 1) {
    if ((values[index] ?? -Infinity) > (values[best] ?? -Infinity)) best = index;
  }
  return best;
}
