// What Python computes (make_vectors.py).
import { readFileSync } from 'node:fs';
import type { EncodedArray, Plan, Preprocessing } from '../src/protocol/generated/job.ts';
import type { Dtype } from '../src/protocol/tensors.ts';

interface Vectors {
  readonly npy: readonly { readonly file: string; readonly array: EncodedArray }[];
  readonly preprocess: readonly {
    readonly preprocessing: Preprocessing;
    readonly sample: EncodedArray;
    readonly array: EncodedArray;
  }[];
  readonly cast: readonly {
    readonly sample: EncodedArray;
    readonly dtype: Dtype;
    readonly array?: EncodedArray;
    readonly error?: string;
  }[];
  readonly round_order: readonly {
    readonly models: readonly string[];
    readonly plan: Plan;
    readonly order: readonly string[];
  }[];
  readonly plan_blocks: readonly {
    readonly plan: Plan;
    readonly warmups: Readonly<Record<string, readonly number[]>>;
    readonly rounds: number;
    readonly runs: Readonly<Record<string, number>>;
  }[];
  readonly is_batched: readonly {
    readonly shapes: readonly (readonly (number | null)[])[];
    readonly batched: boolean;
  }[];
  readonly same_outputs: readonly {
    readonly before: EncodedArray;
    readonly after: EncodedArray;
    readonly same: boolean;
  }[];
  readonly backends: Readonly<Record<string, string>>;
  readonly page_engines: Readonly<Record<string, object>>;
}

export const VECTORS: Vectors = JSON.parse(readFileSync(process.env.EDGEKIT_VECTORS!, 'utf8'));

/** Return the bytes in base64. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text, 'base64'));
}
