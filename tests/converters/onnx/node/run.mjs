// Runs ONNX files by the pages' own onnxruntime-web.
//
//     node run.mjs JOB.json
//
// JOB: {"models": [{"path": an ONNX file, "inputs": {name: {"shape", "data": base64 of float32}}}]}
// Prints one line of JSON a model: {"outputs": {name: {"dtype", "shape", "data": base64}}} or
// {"error"}.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../../../web/package.json', import.meta.url));
const ort = require('onnxruntime-web/wasm');

ort.env.logLevel = 'error';
// One thread needs no worker, which ends with Node.
ort.env.wasm.numThreads = 1;

async function run({ path, inputs }) {
  const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(path)), {
    executionProviders: ['wasm'],
    logSeverityLevel: 3,
  });
  const feeds = Object.entries(inputs).map(([name, { shape, data }]) => {
    const { buffer } = new Uint8Array(Buffer.from(data, 'base64'));
    return [name, new ort.Tensor('float32', new Float32Array(buffer), shape)];
  });
  const outputs = {};
  for (const [name, tensor] of Object.entries(await session.run(Object.fromEntries(feeds)))) {
    const { buffer, byteOffset, byteLength } = tensor.data;
    const data = Buffer.from(buffer, byteOffset, byteLength).toString('base64');
    outputs[name] = { dtype: tensor.type, shape: tensor.dims, data };
  }
  await session.release();
  return { outputs };
}

const { models } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
for (const model of models) {
  const told = await run(model).catch((error) => ({ error: String(error) }));
  console.log(JSON.stringify(told));
}
