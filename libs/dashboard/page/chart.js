// SPDX-License-Identifier: Apache-2.0
// The rates of the last hour, drawn by uPlot (a classic script, so it is found on globalThis).
import { element } from './dom.js';
import { per_second, percent } from './format.js';

const height = 170;

/** [time, calls per second, failed, slow, rejected] from the counts of the API; null where nobody looked. */
export function rates_of(series) {
  const length = series.calls.length;
  const end = Date.parse(series.end) / 1000;
  const times = series.calls.map((_, i) => end - (length - 1 - i) * series.step_seconds);
  const quotient = (part, whole) => (part === null || whole === null ? null : whole > 0 ? part / whole : 0);
  const share = (parts, whole) => parts.map((part, i) => quotient(part, whole[i]));
  const asked = series.calls.map((calls, i) => (calls === null ? null : calls + (series.rejections[i] ?? 0)));
  return {
    times,
    calls: series.calls.map((calls) => (calls === null ? null : calls / series.step_seconds)),
    failed: share(series.failures, series.calls),
    slow: share(series.slow, series.calls),
    rejected: share(series.rejections, asked),
  };
}

function colours(node) {
  const probe = element('span');
  node.append(probe);
  const read = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const names = ['text_soft', 'line', 'accent', 'open', 'half_open', 'forced_open'];
  const found = Object.fromEntries(names.map((name) => [name, read(name)]));
  probe.remove();
  return found;
}

function axes(colour, format) {
  const shared = { stroke: colour.text_soft, grid: { stroke: colour.line, width: 1 }, ticks: { stroke: colour.line, width: 1 },
    font: '12px system-ui, sans-serif' };
  return [{ ...shared, values: '{HH}:{mm}', space: 60 }, { ...shared, size: 52, values: (_, splits) => splits.map(format) }];
}

function draw(place, data, lines, format, range) {
  const colour = colours(place);
  const value = (_, v) => (v === null || v === undefined ? '–' : format(v));
  return new globalThis.uPlot({
    width: Math.max(200, place.clientWidth), height,
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { range } },
    axes: axes(colour, format),
    series: [{ value: '{HH}:{mm}:{ss}' }, ...lines.map(({ label, stroke, dash }) => ({
      label, stroke: colour[stroke], dash, width: 2, value, points: { show: false }, spanGaps: false }))],
  }, data, place);
}

/** Two charts; `show(series)` draws them, `forget()` ends what they keep. */
export class rate_charts {
  #places = [element('div', { class: 'chart' }), element('div', { class: 'chart' })];
  #plots = [];
  #series = null;

  constructor() {
    this.node = element('div', { class: 'charts' },
      element('figure', {}, element('figcaption', {}, 'Calls per second'), this.#places[0]),
      element('figure', {}, element('figcaption', {}, 'Failed, slow, rejected'), this.#places[1]));
    this.watcher = new ResizeObserver(() => this.#fit());
    this.#places.forEach((place) => {
      place.setAttribute('role', 'img');
      this.watcher.observe(place);
    });
  }

  #fit() {
    this.#plots.forEach((plot, i) => {
      const width = this.#places[i].clientWidth;
      if (width > 0 && Math.abs(plot.width - width) >= 1) plot.setSize({ width, height });
    });
  }

  show(series) {
    this.#series = series;
    const rates = rates_of(series);
    const data = [[rates.times, rates.calls], [rates.times, rates.failed, rates.slow, rates.rejected]];
    const last = (values, format) => (values.at(-1) === null || values.length === 0 ? 'not known' : format(values.at(-1)));
    this.#places[0].setAttribute('aria-label', `Calls per second over the last hour; lately ${last(rates.calls, per_second)}.`);
    this.#places[1].setAttribute('aria-label', `Over the last hour; lately failed ${last(rates.failed, percent)}, slow ${
      last(rates.slow, percent)}, rejected ${last(rates.rejected, percent)}.`);
    if (this.#plots.length > 0) {
      this.#plots.forEach((plot, i) => plot.setData(data[i]));
      return;
    }
    if (!this.node.isConnected) return;
    this.#plots = [
      draw(this.#places[0], data[0], [{ label: 'calls/s', stroke: 'accent' }], per_second,
        (_, low, high) => [0, Math.max(1, (high ?? 0) * 1.1)]),
      draw(this.#places[1], data[1], [
        { label: 'failed', stroke: 'open' },
        { label: 'slow', stroke: 'half_open', dash: [8, 4] },
        { label: 'rejected', stroke: 'forced_open', dash: [2, 4] }], percent, () => [0, 1]),
    ];
  }

  /** Draws again in the colours that are now. */
  redraw() {
    this.#destroy();
    if (this.#series !== null) this.show(this.#series);
  }

  #destroy() {
    this.#plots.forEach((plot) => plot.destroy());
    this.#plots = [];
  }

  forget() {
    this.watcher.disconnect();
    this.#destroy();
  }
}
