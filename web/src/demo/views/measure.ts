// "Measure all": a button, a table that fills up, and the results as a file.

import type { Ratio, Row } from '../../protocol/generated/results.ts';
import { Bench, subjectsOf } from '../measure/bench.ts';
import { bytes, percent, significant, time } from '../numbers/format.ts';
import { byId, make } from '../page/dom.ts';
import { messageOf } from '../page/words.ts';
import { type Choice, placeLabel } from '../site/choices.ts';
import { loadGolden } from '../site/golden.ts';
import { type Artifact, type Site, wireBytes } from '../site/site.ts';

const HEADS = [
  'Artifact',
  'Runs on',
  'Brotli',
  'Load',
  'First run',
  'Median',
  'p90',
  'Ratio to fp32 [95 %]',
  'Top-1',
  'SQNR',
] as const;
const WORDS = new Set<string>(['Runs on']);

export class MeasureAll {
  readonly #site: Site;
  readonly #button = byId<HTMLButtonElement>('measure');
  readonly #link = make('a', {}, 'Download the results (JSON)');
  readonly #status = byId('measure-status');
  #stop: AbortController | null = null;

  constructor(site: Site) {
    this.#site = site;
    this.#button.disabled = false;
    this.#button.addEventListener('click', () => {
      if (this.#stop) this.#stop.abort();
      else void this.#measure();
    });
  }

  async #measure(): Promise<void> {
    const stop = new AbortController();
    this.#stop = stop;
    this.#button.textContent = 'Stop';
    // Two at once would disturb each other.
    byId<HTMLButtonElement>('find').disabled = true;
    this.#link.remove();
    const body = this.#newTable();
    try {
      this.#status.textContent = 'Fetching the samples.';
      const { outputs } = await loadGolden(this.#site);
      const bench = new Bench(this.#site, outputs, stop.signal);
      const subjects = await subjectsOf(this.#site);
      for (const [index, subject] of subjects.entries()) {
        const { artifact } = subject;
        this.#status.textContent = `${index + 1} of ${subjects.length}: ${artifact.id} on ${placeLabel(subject)}`;
        body.append(tableRow(await bench.measure(subject), artifact, subject));
        this.#offer(bench);
      }
      this.#status.textContent = `Done: ${subjects.length} rows.`;
    } catch (error) {
      this.#status.textContent = stop.signal.aborted
        ? 'Stopped. What was measured stays.'
        : `Not measured: ${messageOf(error)}`;
    } finally {
      this.#stop = null;
      this.#button.textContent = 'Measure all';
      byId<HTMLButtonElement>('find').disabled = false;
    }
  }

  #newTable(): HTMLElement {
    const heads = HEADS.map((head) =>
      make('th', { scope: 'col', class: WORDS.has(head) ? 'words' : '' }, head),
    );
    const body = make('tbody');
    const box = byId('table');
    box.replaceChildren(make('table', {}, make('thead', {}, make('tr', {}, ...heads)), body));
    box.hidden = false;
    return body;
  }

  #offer(bench: Bench): void {
    URL.revokeObjectURL(this.#link.href);
    const text = JSON.stringify(bench.results());
    this.#link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
    this.#link.download = `${this.#site.name}-results.json`;
    byId('download').append(this.#link);
  }
}

function tableRow(row: Row, artifact: Artifact, choice: Choice): HTMLElement {
  const name = make('th', { scope: 'row' }, row.id);
  const place = make('td', { class: 'words' }, placeLabel(choice));
  if (row.status !== 'ok') {
    const reason = make('td', { class: 'reason', colspan: String(HEADS.length - 2) });
    reason.append(`error: ${row.reason}`);
    return make('tr', {}, name, place, reason);
  }
  const { statistics, fidelity, ratio_to_fp32: ratio } = row;
  const worst = fidelity?.worst;
  const figures = [
    bytes(wireBytes(artifact)),
    maybe(row.load_ns[0], time),
    maybe(row.first_run_ns[0], time),
    maybe(statistics?.median, time),
    maybe(statistics?.p90, time),
  ].map((text) => make('td', {}, text));
  const verdict = make('span', { class: 'small' }, ratio?.verdict ?? '');
  const compared = make('td', {}, ratioText(ratio), ...(ratio ? [make('br'), verdict] : []));
  const agreement = [maybe(worst?.top1, percent), decibels(worst?.sqnr_db)].map((text) =>
    make('td', {}, text),
  );
  return make('tr', {}, name, place, ...figures, compared, ...agreement);
}

const maybe = (value: number | null | undefined, show: (value: number) => string): string =>
  value === null || value === undefined ? '' : show(value);

function ratioText(ratio: Ratio | null): string {
  if (!ratio) return '';
  const value = significant(ratio.value);
  if (ratio.low === null || ratio.high === null) return value;
  return `${value} [${significant(ratio.low)}, ${significant(ratio.high)}]`;
}

function decibels(value: number | string | undefined): string {
  if (value === undefined) return '';
  return value === 'inf'
    ? 'exact'
    : `${significant(Number(value === '-inf' ? -Infinity : value))} dB`;
}
