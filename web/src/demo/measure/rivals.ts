// Who races whom.

import type { EngineName } from '../../engines/known.ts';
import { artifactsOf, type Choice, enginesOf, placesOf, threadsHere } from '../site/choices.ts';
import type { Artifact, Site } from '../site/site.ts';
import { isWorthIt } from './worth.ts';

/** Computing with integers is faster in engines that know how. */
const FAST_RECIPE = 'int8';

/** The same artifact on all back ends of its engine, with one thread: more were not asked for. */
export async function backendsOf(site: Site, { artifact, engine }: Choice): Promise<Choice[]> {
  const choices = await fitChoices(site, [engine], () => [artifact]);
  return choices.filter(({ threads }) => threads === 1);
}

/** Every engine, each with the recipe that runs and with the one that is made for speed. */
export function everyEngine(site: Site, { artifact }: Choice): Promise<Choice[]> {
  const recipes = new Set([artifact.recipe, FAST_RECIPE]);
  return fitChoices(site, enginesOf(site), (engine) => {
    const there = artifactsOf(site, engine);
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
