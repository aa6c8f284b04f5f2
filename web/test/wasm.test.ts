import assert from 'node:assert/strict';
import test from 'node:test';
import { type Dot, takesEightBits } from '../src/worker/wasm.ts';

const unsigned = (b: number) => b & 255;
const saturated = (sum: number) => Math.max(-32768, Math.min(32767, sum));
const wrapped = (sum: number) => (sum << 16) >> 16;

const DOTS: readonly (readonly [string, boolean, Dot])[] = [
  ['vpdpbusd of AVX-VNNI', true, (a, b) => 4 * a * unsigned(b)],
  ['vpdpbssd of AVX-VNNI-INT8, sdot of ARM', true, (a, b) => 4 * a * b],
  ['vpmaddubsw and vpmaddwd of AVX2', false, (a, b) => 2 * saturated(2 * a * unsigned(b))],
  ['smull, addp and saddlp of ARM', false, (a, b) => 2 * wrapped(2 * a * b)],
];

for (const [name, expected, dot] of DOTS)
  test(`${name} ${expected ? 'takes' : 'does not take'} eight bits of both operands`, () => {
    assert.equal(takesEightBits(dot), expected);
  });
