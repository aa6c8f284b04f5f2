// Tiny TF.js models and a server for them: y = x * [[1, 2], [3, 4]], and the same plus noise.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const FLOAT = { type: 'DT_FLOAT' };
const info = (name: string) => ({
  name,
  dtype: 'DT_FLOAT',
  tensorShape: { dim: [{ size: '-1' }, { size: '2' }] },
});

const PRODUCT = [
  { name: 'x', op: 'Placeholder', attr: { dtype: FLOAT, shape: { shape: info('x').tensorShape } } },
  { name: 'w', op: 'Const', attr: { dtype: FLOAT } },
  { name: 'y', op: 'MatMul', input: ['x', 'w'], attr: { T: FLOAT } },
];

const NOISE = [
  { name: 'size', op: 'Const', attr: { dtype: { type: 'DT_INT32' } } },
  {
    name: 'noise',
    op: 'RandomUniform',
    input: ['size'],
    attr: { dtype: FLOAT, T: { type: 'DT_INT32' } },
  },
  { name: 'sum', op: 'AddV2', input: ['y', 'noise'], attr: { T: FLOAT } },
];

const WEIGHTS = new Uint8Array([
  ...new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer),
  ...new Uint8Array(new Int32Array([1, 2]).buffer),
]);

function model(output: 'y' | 'sum'): object {
  return {
    format: 'graph-model',
    signature: { inputs: { x: info('x:0') }, outputs: { y: info(`${output}:0`) } },
    modelTopology: { node: output === 'y' ? PRODUCT : [...PRODUCT, ...NOISE], versions: {} },
    weightsManifest: [
      {
        paths: ['weights.bin'],
        weights: [
          { name: 'w', shape: [2, 2], dtype: 'float32' },
          { name: 'size', shape: [2], dtype: 'int32' },
        ],
      },
    ],
  };
}

/** Return a .npy file of float32 numbers. */
export function npy(shape: readonly number[], values: readonly number[]): Uint8Array {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const padded = `${header.padEnd(117)}\n`;
  const start = Buffer.from(
    `\x93NUMPY\x01\x00${String.fromCharCode(padded.length, 0)}${padded}`,
    'latin1',
  );
  return Buffer.concat([start, new Uint8Array(new Float32Array(values).buffer)]);
}

const FILES: Readonly<Record<string, Uint8Array | string>> = {
  '/product/model.json': JSON.stringify(model('y')),
  '/product/weights.bin': WEIGHTS,
  '/noise/model.json': JSON.stringify(model('sum')),
  '/noise/weights.bin': WEIGHTS,
  '/x.npy': npy([3, 2], [1, 0, 0, 1, 1, Number.NaN]),
  '/three.npy': npy([2, 3], [1, 2, 3, 4, 5, 6]),
};

/** Serve the files while `work` runs; it gets their address. */
export async function served(work: (address: string) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    const file = FILES[request.url ?? ''];
    response.writeHead(file === undefined ? 404 : 200).end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
  }
}
