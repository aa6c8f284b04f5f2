// Runs TF.js graph models in plain @tensorflow/tfjs, as a page would, on the CPU backend.
//
//     node run.mjs JOB.json
//
// JOB: [{"folder": a TF.js folder,
//        "inputs": {name: {"dtype", "shape", "file"}},   little-endian float32 or int32
//        "outputs": {name: file to write}}]
// Prints one line of JSON a model: {"outputs": {name: {"dtype", "shape"}}, "predicted": [names]}.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';

const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };
const ASYNC_OPS = new Set(['While', 'StatelessWhile', 'StatelessIf', 'Where']);

function fileHandler(folder) {
  return {
    load: async () => {
      const model = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
      const read = async (paths) =>
        paths.map((path) => new Uint8Array(readFileSync(join(folder, path))).buffer);
      return tf.io.getModelArtifactsForJSON(model, async (manifest) => {
        const buffers = await read(manifest.flatMap((group) => group.paths));
        return [
          tf.io.getWeightSpecs(manifest),
          tf.io.CompositeArrayBuffer.join(buffers),
        ];
      });
    },
  };
}

function readTensor({ dtype, shape, file }) {
  const bytes = new Uint8Array(readFileSync(file));
  return tf.tensor(new ARRAYS[dtype](bytes.buffer), shape, dtype);
}

async function runModel({ folder, inputs, outputs }) {
  const model = await tf.loadGraphModel(fileHandler(folder));
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, form]) => [name, readTensor(form)]),
  );
  const names = Object.keys(outputs);
  const topology = model.artifacts.modelTopology;
  const isAsync = topology.node.some((node) => ASYNC_OPS.has(node.op));
  // Twice, so that a model that disposes of its own weights is found out.
  let results;
  for (let run = 0; run < 2; run += 1) {
    const made = isAsync
      ? await model.executeAsync(feeds, names)
      : model.execute(feeds, names);
    if (run === 0) tf.dispose(made);
    results = [made].flat();
  }
  const told = {};
  names.forEach((name, index) => {
    const result = results[index];
    // Trap: on the cpu back end a tensor cast from integers is float32 over an Int32Array.
    const data = ARRAYS[result.dtype].from(result.dataSync());
    writeFileSync(outputs[name], new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    told[name] = { dtype: result.dtype, shape: result.shape };
  });
  console.log(JSON.stringify({ outputs: told, predicted: model.outputNodes }));
  model.dispose();
}

await tf.setBackend('cpu');
for (const job of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  await runModel(job);
}
