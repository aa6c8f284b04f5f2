// Who races whom.

import type { EngineName } from '../../engines/common/engine.ts';
import { type Choice, placesOf, threadsHere } from '../site/choices.ts';
import { type Artifact, engineOf, type Site } from '../site/site.ts';
import { isWorthIt } from '../site/support.ts';

/** Computing with integers is what buys speed where an engine knows how. */
const FAST_RECIPE = 'int8';

/** The same artifact on all back ends of its engine; with one thread, for nobody asked for more. */
export async function backendsOf(site: Site, { artifact, engine }: Choice): Promise<Choice[]> {
  const choices = await fitChoices(site, [engine], () => [artifact]);
  return choices.filter(({ threads }) => threads === 1);
}

/** Every engine, each with the recipe at hand and with the one that is made for speed. */
export function enginesOf(site: Site, { artifact }: Choice): Promise<Choice[]> {
  const engines = [...new Set(site.artifacts.map(({ format }) => engineOf(format)))];
  const recipes = new Set([artifact.recipe, FAST_RECIPE]);
  return fitChoices(site, engines, (engine) => {
    const there = site.artifacts.filter((other) => engineOf(other.format) === engine);
    const chosen = there.filter(({ recipe }) => recipes.has(recipe));
    return chosen.length ? chosen : there.slice(0, 1);
  });
}

async function fitChoices(
  site: Site,
  engines: readonly EngineName[],
  artifactsFor: (engine: EngineName) => readonly Artifact[],
): Promise<Choice[]> {
  const all = placesOf(site, threadsHere())
    .filter(({ engine }) => engines.includes(engine))
    .flatMap((place) => artifactsFor(place.engine).map((artifact) => ({ ...place, artifact })));
  const fit = await Promise.all(all.map((choice) => isWorthIt(choice, 'race')));
  return all.filter((_, index) => fit[index]);
}
