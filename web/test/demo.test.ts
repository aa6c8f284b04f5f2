// What the demo page works out before it shows anything.
import assert from 'node:assert/strict';
import test from 'node:test';
import { drawFigure, type Stroke } from '../src/demo/inputs/figure.ts';
import { bytes, difference, percent, time } from '../src/demo/numbers/format.ts';
import { binSamples, Latency } from '../src/demo/numbers/latency.ts';
import { readOutput } from '../src/demo/numbers/prediction.ts';
import { Predictor } from '../src/demo/session/predictor.ts';
import type { Session } from '../src/demo/session/session.ts';
import { moveTo, placeFor, placesOf, startChoices } from '../src/demo/site/choices.ts';
import type { Artifact, Drawing, Picture, Site, SiteOutput } from '../src/demo/site/site.ts';

const DRAWING: Drawing = {
  ground: 0,
  ink: 255,
  figure: 20,
  stroke: 2.5,
  centre: [14, 14],
  centred_by: 'mass',
};
const PICTURE: Picture = {
  size: [28, 28],
  channels: 1,
  low: 0,
  high: 255,
  assumed: false,
  drawing: DRAWING,
};
const SEVEN: Stroke = [
  [0.2, 0.2],
  [0.6, 0.2],
  [0.3, 0.8],
];

/** First and last row and column that hold ink, and the centre of mass. */
function figureIn(values: Float32Array, width = 28) {
  let [mass, x, y] = [0, 0, 0];
  const rows: number[] = [];
  const columns: number[] = [];
  values.forEach((value, index) => {
    const [row, column] = [Math.floor(index / width), index % width];
    mass += value;
    x += value * column;
    y += value * row;
    if (value > 64) {
      rows.push(row);
      columns.push(column);
    }
  });
  const side = (places: number[]) => Math.max(...places) - Math.min(...places) + 1;
  return { side: Math.max(side(rows), side(columns)), x: x / mass, y: y / mass };
}

test('a drawing has the size and the place of the figures in the data, however it was drawn', () => {
  const small = SEVEN.map(([x, y]): [number, number] => [x / 2, y / 2]);
  for (const strokes of [[SEVEN], [small], [SEVEN.slice(0, 2), SEVEN.slice(1)]]) {
    const { side, x, y } = figureIn(drawFigure(strokes, PICTURE, DRAWING, 28));
    assert.ok(Math.abs(side - 20) <= 1, `${side}`);
    assert.ok(Math.hypot(x - 14, y - 14) < 0.2, `${x}, ${y}`);
  }
});

test('a drawing that is centred by its box has that in the middle', () => {
  const drawing: Drawing = {
    ...DRAWING,
    figure: 8,
    stroke: 1,
    centre: [3.5, 3.5],
    centred_by: 'box',
  };
  const picture: Picture = { ...PICTURE, size: [8, 8], drawing };
  const values = drawFigure([SEVEN], picture, drawing, 8);
  const rows = [...Array(8).keys()].filter((row) =>
    values.slice(8 * row, 8 * row + 8).some(Boolean),
  );
  assert.deepEqual(rows, [0, 1, 2, 3, 4, 5, 6, 7]);
});

test('dark ink on a light ground has its values', () => {
  const drawing: Drawing = { ...DRAWING, ground: 1, ink: 0 };
  const values = drawFigure([SEVEN], PICTURE, drawing, 28);
  assert.equal(Math.max(...values), 1);
  assert.ok(Math.min(...values) < 0.05);
});

test('a dot stays a dot', () => {
  const values = drawFigure([[[0.5, 0.5]]], PICTURE, DRAWING, 28);
  assert.ok(figureIn(values).side <= 4);
});

test('nothing drawn is the empty ground', () => {
  const drawing: Drawing = { ...DRAWING, ground: 7 };
  assert.ok(drawFigure([], PICTURE, drawing, 28).every((value) => value === 7));
});

test('a drawing never leaves the picture', () => {
  const corner: Stroke[] = [
    SEVEN,
    ...Array<Stroke>(30).fill([
      [0.2, 0.2],
      [0.21, 0.21],
    ]),
  ];
  const total = (values: Float32Array) => values.reduce((a, b) => a + b, 0);
  const wide = { ...PICTURE, size: [84, 84] as const };
  const inside = drawFigure(corner, PICTURE, DRAWING, 28);
  const roomy = drawFigure(corner, wide, { ...DRAWING, centre: [42, 42] }, 28);
  assert.ok(total(inside) > 0.97 * total(roomy));
});

const output = (kind: SiteOutput['kind'], size: number): SiteOutput => ({
  name: 'y',
  shape: [null, size],
  dtype: 'float32',
  sample: [size],
  kind,
});

test('scores become shares, and the original is compared in shares too', () => {
  const read = readOutput(
    output('scores', 3),
    [0, Math.log(2), 0],
    [0, 0, Math.log(2)],
    ['a', 'b', 'c'],
  );
  assert.equal(read.top?.label, 'b');
  assert.equal(read.originalTop?.label, 'c');
  assert.ok(Math.abs((read.top?.share ?? 0) - 0.5) < 1e-12);
  assert.ok(Math.abs((read.difference ?? 0) - 0.25) < 1e-12);
  assert.deepEqual(
    read.lines.map(({ label, isTop }) => [label, isTop]),
    [
      ['a', false],
      ['b', true],
      ['c', false],
    ],
  );
});

test('of many classes the best five are shown, best first', () => {
  const values = Array.from({ length: 1000 }, (_, index) => (index === 998 ? 0 : index));
  const read = readOutput(output('probabilities', 1000), values, null, []);
  const labels = read.lines.map(({ label }) => label);
  assert.deepEqual(labels, ['999', '997', '996', '995', '994']);
  assert.equal(read.left, 995);
});

test('values are shown as they are', () => {
  const read = readOutput(output('values', 2), [3, -1], [3.5, -1], ['a', 'b']);
  assert.deepEqual(
    read.lines.map(({ label, share, original }) => [label, share, original]),
    [
      ['0', 3, 3.5],
      ['1', -1, -1],
    ],
  );
  assert.equal(read.top, null);
  assert.equal(read.difference, 0.5);
});

const artifact = (id: string, brotli: number, io = 'float'): Artifact => {
  const [format, recipe] = id.split('/') as [Artifact['format'], string];
  const wire = { gzip: brotli, brotli };
  const rest = {
    path: id,
    hashes: {},
    bytes: 2 * brotli,
    options: {},
    top1: 1,
    sqnr_db: 30,
    notes: [],
  };
  return { id, format, recipe, wire, io, ...rest };
};
const SITE = {
  artifacts: [
    artifact('tflite/fp32', 200),
    artifact('tflite/int8', 50, 'int8'),
    artifact('tfjs/fp32', 210),
    artifact('tfjs/int8-weights', 60),
    artifact('onnx/fp32', 205),
  ],
} as unknown as Site;
const [, INT8, TFJS, SMALL] = SITE.artifacts as [Artifact, Artifact, Artifact, Artifact];

test('the page starts with the smallest TF.js artifact on WebGL and has something for each failure', () => {
  const words = startChoices(SITE).map((choice) => `${choice.artifact.id} ${choice.backend}`);
  assert.deepEqual(words.slice(0, 4), [
    'tfjs/int8-weights webgl',
    'tfjs/int8-weights wasm',
    'tfjs/int8-weights cpu',
    'tfjs/fp32 webgl',
  ]);
  assert.ok(words.indexOf('tflite/fp32 wasm') < words.indexOf('tflite/int8 wasm'));
  assert.ok(words.includes('onnx/fp32 wasm'));
});

test('another engine gets the same recipe in its own format, else fp32', () => {
  const place = { engine: 'litertjs', backend: 'wasm', threads: 1 } as const;
  assert.equal(moveTo(place, TFJS, SITE)?.artifact.id, 'tflite/fp32');
  assert.equal(moveTo(place, SMALL, SITE)?.artifact.id, 'tflite/fp32');
  assert.equal(moveTo({ ...place, engine: 'tfjs' }, SMALL, SITE)?.artifact, SMALL);
});

test('another artifact stays on the back end where its engine is the same', () => {
  const last = { engine: 'tfjs', backend: 'cpu', threads: 1 } as const;
  assert.equal(placeFor(TFJS, last).backend, 'cpu');
  assert.equal(placeFor(INT8, last).backend, 'wasm');
});

test('threads are offered for WebAssembly only, and only where there are any', () => {
  const withThreads = placesOf(SITE, 4).filter(({ threads }) => threads > 1);
  assert.deepEqual(new Set(withThreads.map(({ backend }) => backend)), new Set(['wasm']));
  assert.equal(placesOf(SITE, 1).filter(({ threads }) => threads > 1).length, 0);
});

test('figures have three digits and the unit that suits them', () => {
  assert.deepEqual([bytes(52_766), bytes(999), bytes(3_473_285)], ['52.8 KB', '999 B', '3.47 MB']);
  assert.deepEqual([time(183_000), time(1.5e9), time(21_400)], ['183 µs', '1.50 s', '21.4 µs']);
  assert.deepEqual([percent(0.9996), percent(1), percent(0.29)], ['99.9 %', '100.0 %', '29.0 %']);
  assert.deepEqual(
    [difference(0.0154), difference(-2e-7), difference(0)],
    ['0.0154', '< 0.001', '0'],
  );
});

test('a histogram counts every sample, and slow ones in its last bin', () => {
  const { counts, to, isOpen } = binSamples(
    [...Array(50).keys()].map((n) => 1000 + n).concat(90_000),
  );
  assert.equal(
    counts.reduce((a, b) => a + b),
    51,
  );
  assert.ok(isOpen && to < 4000 && counts.at(-1) === 1);
  assert.equal(binSamples([5, 5, 5]).counts[0], 3);
});

test('of the times only the newest thousand are kept', () => {
  const latency = new Latency();
  latency.add([1, 2]);
  latency.add(Array(999).fill(3));
  assert.deepEqual([latency.samples.length, latency.samples[0]], [1000, 2]);
});

test('of the inputs that come while the model is busy only the newest is predicted', async () => {
  const seen: string[] = [];
  const ran = { outputs: {}, samples: [1] };
  const predictor = new Predictor<string>(
    async (_, input) => {
      seen.push(input);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return ran;
    },
    () => {},
    (error) => assert.fail(error),
  );
  await predictor.use({ close: () => {} } as unknown as Session);
  void predictor.predict('a');
  await new Promise((resolve) => setTimeout(resolve));
  void predictor.predict('b');
  await predictor.predict('c');
  assert.deepEqual(seen, ['a', 'c']);
});

test('a session that was replaced is closed, and its failure does not count', async () => {
  const failures: string[] = [];
  const shown: string[] = [];
  class Fake {
    closed = false;
    readonly name: string;
    constructor(name: string) {
      this.name = name;
    }
    close() {
      this.closed = true;
    }
  }
  const session = (name: string) => new Fake(name) as unknown as Session & Fake;
  const [old, fresh] = [session('old'), session('fresh')];
  const predictor = new Predictor<string>(
    async (one) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (one === old) throw new Error('closed');
      return { outputs: {}, samples: [] };
    },
    (_, __, one) => void shown.push((one as typeof old).name),
    (error) => void failures.push(error.message),
  );
  void predictor.predict('x');
  void predictor.use(old);
  await predictor.use(fresh);
  assert.deepEqual([failures, shown, old.closed], [[], ['fresh'], true]);
});
