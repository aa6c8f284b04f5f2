// The licences of what the pages ship, as one text.
import { readdir, readFile } from 'node:fs/promises';

const INTRODUCTION = `The pages of edgekit (Apache-2.0) contain code of the packages below, bundled or as separate files.
The copyright notices in their sources are in the *.LEGAL.txt files beside the scripts.
`;

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or
substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`;

/** Return the text for every package in package-lock.json that is not only for development. */
export async function licences(web) {
  const { packages } = JSON.parse(await readFile(`${web}/package-lock.json`, 'utf8'));
  const parts = [INTRODUCTION];
  for (const [path, { version, license, dev }] of Object.entries(packages)) {
    if (path === '' || dev || path.includes('/@types/')) continue;
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const files = (await readdir(`${web}/${path}`)).filter((file) => /^licen[cs]e/i.test(file));
    const texts = files.map((file) => readFile(`${web}/${path}/${file}`, 'utf8'));
    parts.push(`${name} ${version}: ${license}\n`, ...(await Promise.all(texts)));
  }
  parts.push(`MIT\n\n${MIT}`, `Apache-2.0\n\n${await readFile(`${web}/../LICENSE`, 'utf8')}`);
  return [...new Set(parts)].join(`\n${'-'.repeat(80)}\n\n`);
}
