// The engines of a page. An engine has the same name in jobs, in results, and as a folder here.

import type { Format } from './common/engine.ts';
import { litertjs } from './litertjs/about.ts';
import { ortWeb } from './ort-web/about.ts';
import { tfjs } from './tfjs/about.ts';

/** The demo tries them in this order. */
export const ENGINES = { tfjs, litertjs, 'ort-web': ortWeb };

export type EngineName = keyof typeof ENGINES;

export const ENGINE_NAMES = Object.keys(ENGINES) as EngineName[];

/** Return the engines that run artifacts of a format. */
export const enginesFor = (format: Format): EngineName[] =>
  ENGINE_NAMES.filter((name) => ENGINES[name].format === format);
