// A model whose tensors have other names than the bundle's, as edgekit_runtimes/engines/renamed.py has it.

import type { Tensors } from '../../protocol/tensors.ts';
import type { Model } from './engine.ts';

type Words = Readonly<Record<string, string>>;

/** The bundle's names by the artifact's. */
export interface Names {
  readonly inputs?: Words;
  readonly outputs?: Words;
}

/** Return the model as the bundle names its tensors: the same one where it does so itself. */
export function inBundleNames(model: Model, names: Names | undefined): Model {
  if (!names) return model;
  const given = names.inputs ?? {};
  const ours = names.outputs ?? {};
  const own = Object.fromEntries(Object.entries(given).map(([mine, theirs]) => [theirs, mine]));
  return {
    inputs: model.inputs.map((spec) => ({ ...spec, name: given[spec.name] ?? spec.name })),
    outputs: model.outputs.map((spec) => ({ ...spec, name: ours[spec.name] ?? spec.name })),
    run: async (inputs) => named(await model.run(named(inputs, own)), ours),
    bind: (inputs) => model.bind(named(inputs, own)),
    dispose: () => model.dispose(),
  };
}

function named(tensors: Tensors, names: Words): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [names[name] ?? name, tensor]),
  );
}
