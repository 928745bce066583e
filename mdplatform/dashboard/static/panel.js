// One feed closely: facts, charts over time and depth, ladder, trades.
import * as charts from "./charts.js";
import { byId, decimalsOf, even, minus, moment, options, signed, stateClass, write } from "./format.js";
import { depthColumns, showLadder } from "./ladder.js";
import { Series, stepSeconds } from "./series.js";
import { Tape } from "./tape.js";

const NAMED = 8; // names that one line holds
const EMPTY = { bids: [], asks: [] };

export class Panel {
  // `clock()`: the server's time in ms; `changed(exchange, symbol)`: another feed is wanted here; `closed()`.
  constructor(feed, { clock, changed, closed }) {
    this.node = byId("panel-template").content.firstElementChild.cloneNode(true);
    [this.venue, this.symbol] = [this.#find(".venue"), this.#find(".symbol")];
    this.venue.addEventListener("change", () => changed(this.venue.value, this.#symbolAt(this.venue.value)));
    this.symbol.addEventListener("change", () => changed(this.venue.value, this.symbol.value));
    this.#find(".close").addEventListener("click", closed);
    this.clock = clock;
    this.minutes = 15;
    this.feed = feed;
    this.#begin();
  }

  get key() {
    return `${this.feed.exchange}/${this.feed.symbol}`;
  }

  // Needs the panel in the page: charts take their width from it.
  draw() {
    const span = () => {
      const now = this.clock() / 1000;
      return [now - this.minutes * 60, now];
    };
    const parent = this.#find(".charts");
    const sync = `panel-${Math.random()}`;
    this.charts = {
      price: charts.price(parent, sync, span, () => this.#marks()),
      spread: charts.spread(parent, sync, span),
      imbalance: charts.imbalance(parent, sync, span),
      flow: charts.flow(parent, sync, span),
      depth: charts.depth(parent),
    };
    this.load();
  }

  show(feed) {
    this.feed = feed;
    this.#begin();
    this.load();
  }

  // From the warehouse; what arrives live goes on meanwhile.
  async load() {
    const asked = this.key;
    this.missing = "Reading the history …";
    const query = new URLSearchParams({ feed: asked, minutes: this.minutes });
    try {
      const answer = await fetch(`history?${query}`);
      if (this.key !== asked) return;
      if (!answer.ok) throw new Error((await answer.text()).trim());
      const { points, prints, breaks, increments } = await answer.json();
      this.series.past = points;
      this.breaks = breaks;
      this.increments = increments;
      this.tape.sizesBy(increments.step);
      this.tape.take(prints);
      this.missing = "";
    } catch (error) {
      if (this.key === asked) this.missing = `No history: ${error.message}`;
    }
    this.plot();
  }

  span(minutes) {
    if (minutes === this.minutes) return;
    this.minutes = minutes;
    this.series.past = null;
    this.load();
  }

  take(detail) {
    this.detail = detail;
    this.series.take(detail.samples);
    this.tape.take(detail.prints);
    showLadder(this.#find(".ladder"), detail, this.increments.step);
    this.#facts();
  }

  // The feed's line in the table, and all feeds for the two lists.
  row(row, feeds) {
    this.line = row;
    const venues = [...new Set(feeds.map(({ exchange }) => exchange))].sort();
    if (!venues.includes(this.feed.exchange)) venues.push(this.feed.exchange);
    const symbols = feeds.filter(({ exchange }) => exchange === this.feed.exchange).map(({ symbol }) => symbol).sort();
    if (!symbols.includes(this.feed.symbol)) symbols.push(this.feed.symbol);
    this.symbols = feeds;
    this.known = feeds.length > 0;
    options(this.venue, venues, this.feed.exchange);
    options(this.symbol, symbols, this.feed.symbol);
    this.node.setAttribute("aria-label", `${this.feed.symbol} on ${this.feed.exchange}`);
    write(this.#find(".state"), row ? row.state : "waiting", `state ${stateClass(row?.state)}`);
    this.#find(".state").title = row?.cause ?? "";
    this.#facts();
  }

  plot() {
    if (!this.charts) return;
    const now = this.clock() / 1000;
    const [at, bid, ask, imbalance, flow] = this.series.columns(now - this.minutes * 60, now + 1, stepSeconds(this.minutes));
    const mid = at.map((_, i) => (bid[i] == null || ask[i] == null ? null : (bid[i] + ask[i]) / 2));
    this.charts.price.set([at, mid, bid, ask]);
    this.charts.spread.set([at, mid.map((m, i) => (m ? ((ask[i] - bid[i]) / m) * 10000 : null))]);
    this.charts.imbalance.set([at, imbalance]);
    this.charts.flow.set([at, flow]);
    this.charts.depth.set(depthColumns(this.detail ?? EMPTY));
    this.#said();
  }

  redraw() {
    Object.values(this.charts ?? {}).forEach((chart) => chart.redraw());
  }

  destroy() {
    Object.values(this.charts ?? {}).forEach((chart) => chart.destroy());
    this.node.remove();
  }

  #begin() {
    this.series = new Series();
    this.breaks = [];
    this.increments = {}; // tick and step, where the warehouse knows them
    this.detail = null;
    this.missing = "";
    this.tape = new Tape(this.#find(".tape tbody"));
    this.#find(".tape tbody").replaceChildren();
    showLadder(this.#find(".ladder"), EMPTY);
  }

  // Another venue, if it can be of the same market: the same symbol, else one of the same asset and kind.
  #symbolAt(venue) {
    const there = this.symbols.filter(({ exchange }) => exchange === venue).map(({ symbol }) => symbol);
    const [base, , kind = ""] = this.feed.symbol.split("-");
    const alike = there.filter((symbol) => symbol.split("-")[0] === base);
    return there.find((symbol) => symbol === this.feed.symbol) ??
      alike.find((symbol) => (symbol.split("-")[2] ?? "") === kind) ?? alike[0] ?? there[0];
  }

  #facts() {
    const { funding = {}, quote = {} } = this.detail ?? {};
    const line = this.line ?? {};
    const [bid, ask] = even([line.bid ?? "–", line.ask ?? "–"]);
    const [spread] = even([line.spread ?? "–"]);
    const facts = [["bid", bid, "bid"], ["ask", ask, "ask"], ["mid", even([line.mid ?? "–"])[0]]];
    facts.push(["spread", line.spread_bps ? `${spread} (${minus(line.spread_bps)} bps)` : spread], ["imbalance", minus(line.imbalance)]);
    if (quote.bid && quote.ask) facts.push(["quote", even([quote.bid, quote.ask]).join(" / ")]);
    // Venues compute these to more decimals than anybody can trade at.
    const decimals = Math.max(2, ...[line.bid, line.ask, this.increments.tick].filter(Boolean).map(decimalsOf));
    if (funding.mark_price) facts.push(["mark", ...even([funding.mark_price], decimals)]);
    if (funding.index_price) facts.push(["index", ...even([funding.index_price], decimals)]);
    if (funding.rate) facts.push(["funding", `${signed(Number(funding.rate) * 10000, 3)} bps`]);
    if (funding.next_funding_ts) facts.push(["next funding", moment(funding.next_funding_ts, this.clock())]);
    const list = this.#find(".facts");
    while (list.children.length > facts.length) list.lastChild.remove();
    while (list.children.length < facts.length) list.append(fact());
    facts.forEach(([name, value, className = ""], i) => {
      write(list.children[i].firstChild, name);
      write(list.children[i].lastChild, value ?? "–", className);
    });
  }

  #said() {
    const channels = Object.entries(this.detail?.channels ?? {});
    const ill = channels.filter(([, [state]]) => state !== "valid");
    const alike = Map.groupBy(ill, ([, [state, cause]]) => `${state}${cause ? ` (${cause})` : ""}`);
    const texts = [...alike].map(([said, group]) => `${group.map(([name]) => name).join(", ")}: ${said}`);
    if (!this.detail) texts.push(this.line || !this.known ? "Nothing has arrived for this feed yet." : this.#absent());
    if (this.missing) texts.push(this.missing);
    write(this.#find(".said"), texts.join(" · "), `said soft${ill.length || this.missing ? " warn" : ""}`);
  }

  // Of a feed that no collector publishes: what there is instead.
  #absent() {
    const there = this.symbols.filter(({ exchange }) => exchange === this.feed.exchange).map(({ symbol }) => symbol).sort();
    const venues = [...new Set(this.symbols.map(({ exchange }) => exchange))].sort();
    const instead = there.length ? `${this.feed.exchange} has ${some(there)}` : `there are the venues ${some(venues)}`;
    return `${this.key} is not collected; ${instead}.`;
  }

  #marks() {
    const now = this.clock();
    const current = new Map();
    // Of two words of one interval, the warehouse's and the stream's, the one that knows its end, or reaches furthest.
    for (const part of [...this.breaks, ...(this.detail?.breaks ?? [])]) {
      const identity = JSON.stringify([part[0], part[2], part[4]]);
      const known = current.get(identity);
      if (!known || (part[1] ?? 0) > (known[1] ?? 0)) current.set(identity, part);
    }
    return {
      breaks: [...current.values()].map(([from, to, state]) => [from / 1000, (to ?? now) / 1000, state]),
      liquidations: this.tape.liquidations(),
    };
  }

  #find(selector) {
    return this.node.querySelector(selector);
  }
}

function some(names) {
  return names.length > NAMED ? `${names.slice(0, NAMED).join(", ")} and ${names.length - NAMED} more` : names.join(", ");
}

function fact() {
  const div = document.createElement("div");
  div.append(document.createElement("dt"), document.createElement("dd"));
  return div;
}
