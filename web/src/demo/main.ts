// The demo page: a bundle's artifacts, tried by a visitor in their own browser.

import { Demo } from './demo.ts';
import { byId, say } from './page/dom.ts';
import { showNotices } from './page/notices.ts';
import { keepOffline } from './page/offline.ts';
import { messageOf } from './page/words.ts';
import { loadSite } from './site/site.ts';

async function main(): Promise<void> {
  document.body.classList.remove('waiting');
  showNotices(null);
  const site = await loadSite();
  byId('version').textContent = site.edgekit;
  const demo = new Demo(site);
  const fetched = await demo.start();
  // Not before the first prediction: most visitors never measure. Before the copy, to be in it.
  const { MeasureAll } = await import('./views/measure.ts');
  showNotices(await keepOffline(fetched));
  await demo.raceBackEnds();
  new MeasureAll(site);
}

main().catch((error: unknown) => {
  say(messageOf(error), true);
});
