// One asset on all venues: best prices side by side, what crossing from one venue to another would bring, and both over time.
import { LinesChart } from "./charts.js";
import { age, byId, even, options, rows, significant, signed, span, stateClass, write } from "./format.js";
import { Series, stepSeconds } from "./series.js";

const RELOAD_MS = 600000;
const CARRIED_S = 10; // so long a price holds on the chart although nothing arrived
const MOST_MINUTES = 60; // as far back as the server reads books
const VENUE_CLASSES = ["", "", "n", "n", "n", "n", "n"];

export class Compare {
  constructor({ clock, chosen }) {
    this.clock = clock;
    this.base = "";
    this.minutes = 15;
    this.series = new Map(); // by feed
    this.charts = null;
    this.from = null; // the charts' first second
    this.loadedAt = performance.now();
    byId("base").addEventListener("change", () => chosen(byId("base").value));
  }

  choose(base, span) {
    const minutes = Math.min(span, MOST_MINUTES);
    if (base === this.base && minutes === this.minutes) return;
    [this.base, this.minutes] = [base, minutes];
    this.series.clear();
    this.#forget();
  }

  take(compared) {
    for (const [exchange, symbol, samples] of compared) {
      if (symbol.split("-")[0] === this.base) this.#of(`${exchange}/${symbol}`).take(samples.map((sample) => [...sample, null, 0]));
    }
  }

  // The tables; `feeds` are all rows.
  show(feeds, nowMs) {
    options(byId("base"), [...new Set([...feeds.map(({ symbol }) => symbol.split("-")[0]), ...(this.base ? [this.base] : [])])].sort(), this.base);
    const lines = feeds.filter(({ symbol, bid, ask }) => symbol.split("-")[0] === this.base && bid && ask);
    const valid = lines.filter(({ state }) => state === "valid");
    const middle = median(valid.map(({ mid }) => Number(mid)));
    const bestBid = Math.max(...valid.map(({ bid }) => Number(bid)));
    const bestAsk = Math.min(...valid.map(({ ask }) => Number(ask)));
    const [bids, asks] = halves(even(lines.flatMap(({ bid, ask }) => [bid, ask])));
    const mids = even(lines.map(({ mid }) => mid));
    rows(byId("venues").tBodies[0], lines.length, VENUE_CLASSES).forEach((tr, i) => {
      const line = lines[i];
      const good = line.state === "valid";
      const off = middle && good ? (Number(line.mid) / middle - 1) * 10000 : null;
      if (!tr.cells[0].firstChild) tr.cells[0].append(span("soft"), " ", span(""));
      write(tr.cells[0].firstChild, line.exchange);
      write(tr.cells[0].lastChild, line.symbol);
      const texts = [line.state, bids[i], asks[i], mids[i], signed(off), age(nowMs - line.received_ms)];
      texts.forEach((text, k) => write(tr.cells[k + 1], text));
      tr.cells[1].className = stateClass(line.state);
      tr.cells[2].className = good && Number(line.bid) === bestBid ? "n bid best" : "n";
      tr.cells[3].className = good && Number(line.ask) === bestAsk ? "n ask best" : "n";
    });
    this.#crossings(valid);
  }

  plot() {
    if (performance.now() - this.loadedAt > RELOAD_MS) this.reload();
    const keys = [...this.series.keys()].filter((key) => this.series.get(key).samples.size || this.series.get(key).past?.points.at_ms.length).sort();
    if (!keys.length) return;
    const markets = grouped(keys.map((key) => ({ key, symbol: key.split("/")[1] })));
    if (this.charts?.names !== keys.join()) this.#make(keys, markets);
    const now = Math.floor(this.clock() / 1000);
    const step = stepSeconds(this.minutes);
    this.from ??= Math.ceil((now - this.minutes * 60) / step) * step;
    const { from } = this;
    const grid = Array.from({ length: Math.floor((now - from) / step) + 1 }, (_, i) => from + i * step);
    const held = new Map(keys.map((key) => [key, carried(this.series.get(key).quotes(from, step), grid, step)]));
    const medians = grid.map((_, i) => median(keys.map((key) => held.get(key).mid[i]).filter((mid) => mid != null)));
    this.charts.off.set([grid, ...keys.map((key) => held.get(key).mid.map((mid, i) => (mid == null ? null : (mid / medians[i] - 1) * 10000)))]);
    this.charts.best.set([grid, ...markets.map(([, members]) => grid.map((_, i) => crossing(members.map(({ key }) => held.get(key)), i)))]);
  }

  redraw() {
    this.charts?.off.redraw();
    this.charts?.best.redraw();
  }

  // A line for each market (same quote, same kind) that several venues have, and one over all of them.
  #crossings(valid) {
    const found = [...grouped(valid), ["any", valid]].filter(([, members]) => new Set(members.map(({ exchange }) => exchange)).size > 1);
    rows(byId("crossings").tBodies[0], found.length, ["", "n", "n", "", ""]).forEach((tr, i) => {
      const [market, members] = found[i];
      const sell = members.reduce((a, b) => (Number(b.bid) > Number(a.bid) ? b : a));
      const buy = members.reduce((a, b) => (Number(b.ask) < Number(a.ask) ? b : a));
      const spread = Number(buy.ask) - Number(sell.bid);
      const where = (feed) => (market === "any" ? `${feed.exchange} ${feed.symbol}` : feed.exchange);
      write(tr.cells[0], market === "any" ? "any quote, any kind" : market);
      write(tr.cells[3], `${where(sell)} ${even([sell.bid])[0]}`);
      write(tr.cells[4], `${where(buy)} ${even([buy.ask])[0]}`);
      write(tr.cells[2], significant(spread, 6));
      write(tr.cells[1], signed((spread / ((Number(buy.ask) + Number(sell.bid)) / 2)) * 10000), spread < 0 ? "n best" : "n");
    });
  }

  #make(keys, markets) {
    this.#forget();
    const parent = byId("compare-charts");
    this.charts = {
      names: keys.join(),
      off: new LinesChart(parent, "Mid against the median of all, basis points", keys.map((key) => key.replace("/", " "))),
      best: new LinesChart(parent, "Best ask less best bid across venues, basis points", markets.map(([market]) => market)),
    };
  }

  #forget() {
    this.charts?.off.destroy();
    this.charts?.best.destroy();
    this.charts = this.from = null;
  }

  #of(key) {
    if (!this.series.has(key)) {
      this.series.set(key, new Series());
      this.#load(key, this.series.get(key));
    }
    return this.series.get(key);
  }

  async #load(key, series) {
    const answer = await fetch(`history?${new URLSearchParams({ feed: key, minutes: this.minutes, only: "points" })}`).catch(() => null);
    if (answer?.ok) series.past = { points: await answer.json() }; // else the line starts with what arrives live
  }

  reload() {
    this.from = null;
    this.loadedAt = performance.now();
    this.series.forEach((series, key) => this.#load(key, series));
  }
}

// Those at even places, those at odd ones.
function halves(texts) {
  return [0, 1].map((odd) => texts.filter((_, i) => i % 2 === odd));
}

// [market, members] of each quote and kind that has at least two members.
function grouped(members) {
  const markets = new Map();
  for (const member of members) {
    const [, quote, kind = "spot"] = member.symbol.split("-");
    const market = `${quote} ${kind === "PERP" ? "perpetual" : kind}`;
    markets.set(market, [...(markets.get(market) ?? []), member]);
  }
  return [...markets].filter(([, group]) => group.length > 1).sort();
}

function carried(quotes, grid, step) {
  const out = { bid: [], ask: [], mid: [] };
  let i = -1;
  for (const second of grid) {
    while (i + 1 < quotes.length && quotes[i + 1][0] <= second) i += 1;
    const [at, bid, ask] = quotes[i] ?? [];
    const holds = i >= 0 && second - at <= Math.max(CARRIED_S, 3 * step) && bid != null && ask != null;
    out.bid.push(holds ? bid : null);
    out.ask.push(holds ? ask : null);
    out.mid.push(holds ? (bid + ask) / 2 : null);
  }
  return out;
}

function crossing(members, i) {
  const there = members.filter(({ mid }) => mid[i] != null);
  if (there.length < 2) return null;
  const [bid, ask] = [Math.max(...there.map((m) => m.bid[i])), Math.min(...there.map((m) => m.ask[i]))];
  return ((ask - bid) / ((ask + bid) / 2)) * 10000;
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : sorted.length ? (sorted[half - 1] + sorted[half]) / 2 : null;
}
