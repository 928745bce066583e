// One feed over time: steps from the warehouse, then the seconds that arrived since, folded into the same steps.

// A line across a longer silence would claim prices that nobody saw.
const BREAK_S = 10;
// One hour and a little: more is never shown.
const SECONDS_KEPT = 3700;

export function stepSeconds(minutes) {
  return Math.max(1, Math.floor((minutes * 60) / 450));
}

export class Series {
  constructor() {
    this.past = null; // columns, at_ms ascending
    this.live = []; // [second, bid, ask, imbalance, flow], ascending
  }

  take(samples) {
    for (const sample of samples) {
      const newest = this.live.at(-1)?.[0] ?? 0;
      if (sample[0] > newest) this.live.push(sample);
      else this.#put(sample);
    }
    if (this.live.length > SECONDS_KEPT) this.live.splice(0, this.live.length - SECONDS_KEPT);
  }

  // Columns of seconds, bids, asks, imbalances, flows between `from` and `to`; null where nothing was seen.
  columns(from, to, step) {
    const out = [[], [], [], [], []];
    const liveFrom = this.live.length ? Math.floor(this.live[0][0] / step) * step : Infinity;
    const { at_ms: at = [], bid, ask, imbalance, flow } = this.past ?? {};
    for (let i = 0; i < at.length; i++) {
      const second = at[i] / 1000;
      if (second >= from && second < liveFrom) append(out, [second, bid[i], ask[i], imbalance[i], flow[i]], step);
    }
    let open = null;
    for (const sample of this.live) {
      if (sample[0] < from || sample[0] > to) continue;
      const second = Math.floor(sample[0] / step) * step;
      if (open && open[0] === second) {
        open = [second, sample[1], sample[2], sample[3], open[4] + sample[4]];
      } else {
        if (open) append(out, open, step);
        open = [second, ...sample.slice(1)];
      }
    }
    if (open) append(out, open, step);
    return out;
  }

  #put(sample) {
    const index = this.live.findLastIndex((kept) => kept[0] <= sample[0]);
    if (index >= 0 && this.live[index][0] === sample[0]) this.live[index] = sample;
    else this.live.splice(index + 1, 0, sample);
  }
}

function append(out, point, step) {
  const last = out[0].at(-1);
  if (last !== undefined && point[0] - last > Math.max(BREAK_S, 3 * step)) {
    [last + step, null, null, null, null].forEach((value, i) => out[i].push(value));
  }
  point.forEach((value, i) => out[i].push(value));
}
