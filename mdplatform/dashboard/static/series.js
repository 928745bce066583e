// One feed over time: steps from the warehouse, then the seconds that arrived since, folded into the same steps.

// One hour and a little; the past is read again more often than that.
const SECONDS_KEPT = 3700;

export function stepSeconds(minutes) {
  return Math.max(1, Math.floor((Math.min(minutes, 60) * 60) / 450));
}

export class Series {
  constructor() {
    this.past = null; // { points: columns, bars: rows, until: the first second that is not in them }
    this.samples = new Map(); // second -> [second, bid, ask, imbalance, flow]
    this.bars = new Map(); // second -> [second, open, high, low, close, volume, of buyers]
  }

  take(samples, bars = []) {
    keep(this.samples, samples);
    keep(this.bars, bars);
  }

  // Rows [time, bid, ask, imbalance, flow] from `from` on, ascending.
  quotes(from, step) {
    const { at_ms: at = [], bid, ask, imbalance, flow } = this.past?.points ?? {};
    const past = at.map((ms, i) => [ms / 1000, bid[i], ask[i], imbalance[i], flow[i]]);
    return this.#folded(past, this.samples, from, step, (open, sample) => {
      [open[1], open[2], open[3]] = [sample[1], sample[2], sample[3]];
      open[4] += sample[4];
    });
  }

  // Rows [time, open, high, low, close, volume, of buyers] from `from` on, ascending.
  candles(from, step) {
    return this.#folded(this.past?.bars ?? [], this.bars, from, step, (open, bar) => {
      open[2] = Math.max(open[2], bar[2]);
      open[3] = Math.min(open[3], bar[3]);
      open[4] = bar[4];
      open[5] += bar[5];
      open[6] += bar[6];
    });
  }

  #folded(past, live, from, step, fold) {
    const seconds = [...live.keys()].sort((a, b) => a - b);
    // Where the past does not say until when it is whole, it counts until the first live second.
    const until = this.past?.until ?? Math.floor((seconds[0] ?? Infinity) / step) * step;
    const rows = past.filter(([time]) => time >= from && time < until).map((row) => [...row]);
    for (const second of seconds) {
      if (second < until || second < from) continue;
      const time = Math.floor(second / step) * step;
      const open = rows.at(-1);
      if (open?.[0] === time) fold(open, live.get(second));
      else rows.push([time, ...live.get(second).slice(1)]);
    }
    return rows;
  }
}

function keep(kept, rows) {
  for (const row of rows) kept.set(row[0], row);
  if (kept.size <= SECONDS_KEPT) return;
  const oldest = [...kept.keys()].sort((a, b) => a - b).slice(0, kept.size - SECONDS_KEPT);
  oldest.forEach((second) => kept.delete(second));
}
