// Runs parts of TF.js graph models, each part apart, on a back end of the pages' own TF.js.
//
//     node cases.mjs JOB.json
//
// JOB: {"backend": "cpu" or "wasm",
//       "models": [{"folder": a TF.js folder,
//                   "cases": [{"inputs": {name: {"dtype", "shape", "data": base64}},
//                              "outputs": [names]}]}]}
// Prints one line of JSON a case: {"outputs": [{"dtype", "shape", "data": base64}]} or {"error"}.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(new URL('../../../../web/package.json', import.meta.url));
const tf = require('@tensorflow/tfjs-core');
const { loadGraphModel } = require('@tensorflow/tfjs-converter');

const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

function load(folder) {
  const json = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
  const shards = json.weightsManifest.flatMap(({ paths }) => paths);
  return loadGraphModel({
    load: async () => ({
      modelTopology: json.modelTopology,
      signature: json.signature,
      weightSpecs: tf.io.getWeightSpecs(json.weightsManifest),
      weightData: shards.map((path) => new Uint8Array(readFileSync(join(folder, path))).buffer),
    }),
  });
}

function upload({ dtype, shape, data }) {
  const bytes = new Uint8Array(Buffer.from(data, 'base64'));
  return tf.tensor(new ARRAYS[dtype](bytes.buffer), shape, dtype);
}

async function execute(model, feeds, names) {
  try {
    return [model.execute(feeds, names)].flat();
  } catch (error) {
    if (!String(error).includes('executeAsync')) throw error;
    return [await model.executeAsync(feeds, names)].flat();
  }
}

async function runCase(model, { inputs, outputs }) {
  const feeds = Object.entries(inputs).map(([name, form]) => [name, upload(form)]);
  const results = await execute(model, Object.fromEntries(feeds), outputs);
  const told = [];
  for (const result of results) {
    // Trap: on the cpu back end a tensor cast from integers is float32 over an Int32Array.
    const { buffer, byteOffset, byteLength } = ARRAYS[result.dtype].from(await result.data());
    const data = Buffer.from(buffer, byteOffset, byteLength).toString('base64');
    told.push({ dtype: result.dtype, shape: result.shape, data });
  }
  tf.dispose(results);
  return { outputs: told };
}

const job = JSON.parse(readFileSync(process.argv[2], 'utf8'));
require(`@tensorflow/tfjs-backend-${job.backend}`);
await tf.setBackend(job.backend);
// TF.js warns of every model that is run by executeAsync without need.
console.warn = () => {};
for (const { folder, cases } of job.models) {
  const model = await load(folder);
  for (const one of cases) {
    const told = await runCase(model, one).catch((error) => ({ error: String(error) }));
    console.log(JSON.stringify(told));
  }
}
