// Prints the TensorFlow ops that the installed TF.js loader knows, as
// converters/edgekit_converters/tfjs/supported_ops.json holds them:
//
//     node tests/converters/tfjs/node/list_ops.mjs > converters/edgekit_converters/tfjs/supported_ops.json
//
// Only the lists that the loader's operation_mapper.js imports count; the package ships others.
// They are ES modules in a package that does not say so, hence the data: address.
import { readFileSync } from 'node:fs';

const PACKAGE = new URL('node_modules/@tensorflow/tfjs-converter/', import.meta.url);
const read = (path) => readFileSync(new URL(path, PACKAGE), 'utf8');

const mapper = read('dist/operations/operation_mapper.js');
const names = [...mapper.matchAll(/from '\.\/op_list\/(\w+)'/g)].map((match) => match[1]);
const ops = new Set();
for (const name of names) {
  const source = read(`dist/operations/op_list/${name}.js`);
  const list = await import(`data:text/javascript,${encodeURIComponent(source)}`);
  list.json.forEach((entry) => ops.add(entry.tfOpName));
}
const { version } = JSON.parse(read('package.json'));
console.log(JSON.stringify({ version, ops: [...ops].sort() }, null, 1));
