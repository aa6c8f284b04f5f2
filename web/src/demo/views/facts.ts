// What the page shows of this machine, and of an artifact's size.

import type { EnvironmentEvent } from '../../protocol/generated/job.ts';
import { bytes, percent } from '../numbers/format.ts';
import { byId } from '../page/dom.ts';
import {
  type Artifact,
  REFERENCE_RECIPE,
  referenceOf,
  type Site,
  wireBytes,
} from '../site/site.ts';

/** Show what this machine is; nothing if it does not tell. */
export function showMachine(facts: EnvironmentEvent | null): void {
  const { browser, logical_cores: cores, renderer, software_renderer: isSoftware } = facts ?? {};
  const drawn = renderer && `WebGL by ${renderer}${isSoftware ? ', which is software' : ''}`;
  const words = [browser, cores && `${cores} cores`, drawn].filter(Boolean);
  byId('machine').textContent = words.length ? `This is ${words.join('; ')}.` : '';
}

/** Show how large the artifact is beside fp32. */
export function showSize(artifact: Artifact, site: Site): void {
  const reference = referenceOf(artifact, site);
  const size = wireBytes(artifact);
  const share = reference ? size / wireBytes(reference) : null;
  byId('size').textContent = bytes(size);
  byId('size-share').textContent = share === null ? '–' : percent(share);
  byId('size-bar').style.width = `${100 * Math.min(1, share ?? 0)}%`;
  const isReference = artifact.recipe === REFERENCE_RECIPE;
  byId('size-note').textContent = reference
    ? isReference
      ? `This is fp32 itself: ${bytes(artifact.bytes)}, compressed with brotli for the download.`
      : `fp32 is ${bytes(wireBytes(reference))}; both compressed with brotli, as web servers send them.`
    : `The bundle has no ${artifact.format}/${REFERENCE_RECIPE} to compare with.`;
}
