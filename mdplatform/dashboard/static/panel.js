// One feed closely: prices of the day, chart, depth, ladder, trades.
import { BELOW, FeedChart, VIEWS } from "./charts.js";
import { drawDepth } from "./depth.js";
import { byId, decimalsOf, even, minus, moment, options, priced, significant, signed, span, stateClass, write } from "./format.js";
import { GROUPS, LEVELS, showLadder } from "./ladder.js";
import { Series } from "./series.js";
import { stored, store } from "./stored.js";
import { Tape } from "./tape.js";

const NAMED = 8; // names that one line holds
const EMPTY = { bids: [], asks: [] };
const RELOAD_MS = 600000; // late trades and corrected bars come into the chart with the history
const DEPTH_KEPT = 4000; // books of the depth map
const BOOK_MINUTES = 60; // as far back as the server reads books

export class Panel {
  // `clock()`: the server's time in ms; `changed(exchange, symbol)`: another feed is wanted here; `closed()`.
  constructor(feed, { clock, changed, closed }) {
    this.node = byId("panel-template").content.firstElementChild.cloneNode(true);
    [this.venue, this.symbol] = [this.#find(".venue"), this.#find(".symbol")];
    this.venue.addEventListener("change", () => changed(this.venue.value, this.#symbolAt(this.venue.value)));
    this.symbol.addEventListener("change", () => changed(this.venue.value, this.symbol.value));
    this.#find(".close").addEventListener("click", closed);
    this.clock = clock;
    [this.minutes, this.bar] = [15, 15];
    this.feed = feed;
    this.shows = { view: stored("view", "candles"), below: stored("below", "spread"), group: 1 };
    this.#choices();
    this.#begin();
  }

  get key() {
    return `${this.feed.exchange}/${this.feed.symbol}`;
  }

  // Needs the panel in the page: the chart takes its size from it.
  draw() {
    const legend = this.#find(".legend");
    this.chart = new FeedChart(this.#find(".chart"), () => this.#marks(), (texts, time) => {
      while (legend.children.length > texts.length) legend.lastChild.remove();
      while (legend.children.length < texts.length) legend.append(labelled());
      texts.forEach(([name, value], i) => {
        write(legend.children[i].firstChild, name);
        write(legend.children[i].lastChild, value);
      });
      legend.classList.toggle("past", time != null);
    });
    this.#make();
    this.load();
  }

  show(feed) {
    this.feed = feed;
    this.#begin();
    this.#make();
    this.load();
  }

  // From the warehouse; what arrives live goes on meanwhile.
  async load() {
    const [asked, minutes, bar] = [this.key, this.minutes, this.bar];
    const stands = () => this.key === asked && this.minutes === minutes && this.bar === bar;
    this.loadedAt = performance.now();
    this.missing = "Reading the history …";
    if (this.shows.view === "depth") this.#loadDepth(asked, minutes);
    try {
      const answer = await fetch(`history?${new URLSearchParams({ feed: asked, minutes, bar })}`);
      if (!stands()) return;
      if (!answer.ok) throw new Error((await answer.text()).trim());
      const found = await answer.json();
      this.series.past = { points: found.points, bars: found.bars, until: found.until_s };
      this.from = found.since_s;
      [this.breaks, this.increments] = [found.breaks, found.increments];
      [this.openInterest, this.funding] = [found.open_interest, found.funding];
      this.tape.sizesBy(found.increments.step);
      this.tape.take(found.prints);
      this.#groups();
      if (this.chart.options.tick !== found.increments.tick) this.#make();
      this.missing = "";
    } catch (error) {
      if (stands()) this.missing = `No history: ${error.message}`;
    }
    this.plot();
  }

  async #loadDepth(asked, minutes) {
    const answer = await fetch(`depth?${new URLSearchParams({ feed: asked, minutes: Math.min(minutes, BOOK_MINUTES) })}`).catch(() => null);
    if (!answer?.ok || this.key !== asked) return; // else the map starts with what arrives live
    const { books: found, step_ms } = await answer.json();
    const books = found.map(([ms, bids, asks]) => [ms, bids.flat(), asks.flat()]);
    const until = books.at(-1)?.[0] ?? 0;
    this.books = { rows: [...books, ...this.books.rows.filter(([ms]) => ms > until)], hold: Math.max(10, (3 * step_ms) / 1000) };
    this.plot();
  }

  span(minutes, bar) {
    if (minutes === this.minutes && bar === this.bar) return;
    [this.minutes, this.bar] = [minutes, bar];
    this.series.past = this.from = null;
    this.load();
  }

  take(detail) {
    this.detail = detail;
    this.series.take(detail.samples, detail.bars);
    this.tape.take(detail.prints);
    this.#keepBook(detail);
    this.#ladder();
    this.#facts();
  }

  // The feed's line in the table, all feeds for the two lists, and the feed's last 24 hours.
  row(row, feeds, day) {
    [this.line, this.day] = [row, day];
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
    if (!this.chart) return;
    if (performance.now() - this.loadedAt > RELOAD_MS) return void this.load();
    const [now, step] = [this.clock() / 1000, this.bar];
    this.from ??= Math.floor((now - this.minutes * 60) / step) * step;
    const since = (rows) => rows.filter(([time]) => time >= this.from);
    this.chart.show({
      from: this.from, to: Math.floor(now / step) * step, step, books: this.books,
      candles: this.series.candles(this.from, step), quotes: this.series.quotes(this.from, step),
      open_interest: since(this.openInterest), funding: since(this.funding),
    });
    drawDepth(this.#find(".depth"), this.detail ?? EMPTY);
    this.#said();
  }

  // In other colours, or in another size.
  redraw() {
    this.#make({ keep: true });
    this.#ladder();
  }

  destroy() {
    this.chart?.destroy();
    this.node.remove();
  }

  #begin() {
    this.series = new Series();
    this.breaks = [];
    this.increments = {}; // tick and step, where the warehouse knows them
    [this.openInterest, this.funding] = [[], []];
    this.books = { rows: [], hold: 10 };
    this.from = null; // the first second of the chart
    this.detail = null;
    this.missing = "";
    this.tape = new Tape(this.#find(".tape tbody"));
    this.tape.atLeast(Number(this.#find(".least").value) || 0);
    this.#find(".tape tbody").replaceChildren();
    this.#ladder();
  }

  // What can be chosen in the panel itself: chart, panes below, price grouping, smallest trade.
  #choices() {
    const [view, below, group, least] = [".view", ".below", ".group", ".least"].map((name) => this.#find(name));
    view.append(...Object.entries(VIEWS).map(([value, text]) => new Option(text, value)));
    below.append(new Option("nothing below", ""), ...Object.entries(BELOW).map(([value, text]) => new Option(text, value)), new Option("all panes", "all"));
    view.value = this.shows.view;
    below.value = this.shows.below;
    view.addEventListener("change", () => {
      store("view", (this.shows.view = view.value));
      this.#make();
      this.plot();
      if (view.value === "depth") this.#loadDepth(this.key, this.minutes);
    });
    below.addEventListener("change", () => {
      store("below", (this.shows.below = below.value));
      this.#make();
      this.plot();
    });
    group.addEventListener("change", () => {
      this.shows.group = Number(group.value);
      this.#ladder();
    });
    least.addEventListener("input", () => this.tape.atLeast(Number(least.value) || 0));
    this.#groups();
  }

  // Groups of ticks, called by their width.
  #groups() {
    const { tick } = this.increments ?? {};
    const select = this.#find(".group");
    const width = (group) => (tick ? Number((tick * group).toPrecision(12)).toFixed(decimalsOf(tick * group)) : "tick");
    const wanted = tick ? GROUPS : [1];
    if (!wanted.includes(this.shows.group)) this.shows.group = 1;
    const texts = wanted.map(width);
    if ([...select.options].map(({ text }) => text).join() !== texts.join()) select.replaceChildren(...wanted.map((group, i) => new Option(texts[i], group)));
    select.value = this.shows.group;
  }

  #make(more = {}) {
    if (!this.chart) return;
    const { view, below } = this.shows;
    const all = Object.keys(BELOW).filter((name) => !["open_interest", "funding"].includes(name) || this.#isDerivative());
    this.chart.make({ keep: false, ...more, view, tick: this.increments.tick, below: below === "all" ? all : below ? [below] : [] });
  }

  #isDerivative() {
    return this.feed.symbol.split("-").length > 2;
  }

  #keepBook({ bids, asks }) {
    const sample = this.series.samples.size && Math.max(...[...this.series.samples.keys()].slice(-3)) * 1000;
    if (this.shows.view !== "depth" || !sample) return;
    const flat = (levels) => levels.flatMap(([price, size]) => [Number(price), Number(size)]);
    const book = [sample, flat(bids), flat(asks)];
    if (this.books.rows.at(-1)?.[0] === sample) this.books.rows.pop();
    if (sample > (this.books.rows.at(-1)?.[0] ?? 0)) this.books.rows.push(book);
    if (this.books.rows.length > DEPTH_KEPT) this.books.rows.splice(0, this.books.rows.length - DEPTH_KEPT);
  }

  #ladder() {
    const list = this.#find(".ladder");
    const room = this.#find(".lists").clientHeight;
    const line = list.querySelector(".touch tr")?.offsetHeight || 18;
    const levels = document.body.classList.contains("compact") && room > 150 ? Math.max(4, Math.floor((room - 4.2 * line) / line / 2)) : LEVELS;
    showLadder(list, this.detail ?? EMPTY, { ...this.increments, group: this.shows.group, levels: Math.min(levels, 20) });
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
    const { funding = {}, quote = {}, open_interest } = this.detail ?? {};
    const line = this.line ?? {};
    // Venues compute some of these to more decimals than anybody can trade at.
    const decimals = Math.max(2, ...[line.bid, line.ask, this.increments.tick].filter(Boolean).map(decimalsOf));
    this.#day(line, decimals);
    const [bid, ask] = even([line.bid ?? "–", line.ask ?? "–"]);
    const [spread] = even([line.spread ?? "–"]);
    const facts = [["bid", bid, "bid"], ["ask", ask, "ask"], ["mid", even([line.mid ?? "–"])[0]]];
    facts.push(["spread", line.spread_bps ? `${spread} (${minus(line.spread_bps)} bps)` : spread], ["imbalance", minus(line.imbalance)]);
    if (quote.bid && quote.ask) facts.push(["quote", even([quote.bid, quote.ask]).join(" / ")]);
    if (funding.mark_price) facts.push(["mark", ...even([funding.mark_price], decimals)]);
    if (funding.index_price) facts.push(["index", ...even([funding.index_price], decimals)]);
    if (funding.rate) facts.push(["funding", `${signed(Number(funding.rate) * 10000, 3)} bps`]);
    if (funding.next_funding_ts) facts.push(["next funding", moment(funding.next_funding_ts, this.clock())]);
    if (open_interest) facts.push(["open interest", significant(Number(open_interest), 8)]);
    const list = this.#find(".facts");
    while (list.children.length > facts.length) list.lastChild.remove();
    while (list.children.length < facts.length) list.append(fact());
    facts.forEach(([name, value, className = ""], i) => {
      write(list.children[i].firstChild, name);
      write(list.children[i].lastChild, value ?? "–", className);
    });
  }

  // The last price, and what the last 24 hours were; of less than a day since when.
  #day(line, decimals) {
    const last = line.last ?? (this.day && String(this.day.last));
    const side = this.tape.last()?.side;
    write(this.#find(".last"), last ? priced(last, decimals) : "–", `last ${side === "buy" ? "bid" : side === "sell" ? "ask" : ""}`);
    const names = { change: "–", high: "–", low: "–", volume: "–" };
    let up = null;
    if (this.day && last) {
      const change = (Number(last) / this.day.open - 1) * 100;
      up = change >= 0;
      const [high, low] = [Math.max(this.day.high, Number(last)), Math.min(this.day.low, Number(last))].map((price) => priced(price, decimals));
      Object.assign(names, { change: `${signed(change)} %`, high, low, volume: significant(this.day.volume, 5) });
    }
    for (const [name, text] of Object.entries(names)) write(this.#find(`.day .${name}`), text);
    this.#find(".day .change").className = `change ${up === null ? "" : up ? "bid" : "ask"}`;
    const since = this.day && this.clock() - this.day.from_ms < 86000000 ? `since ${moment(this.day.from_ms, this.clock())}, when trades are first known` : "";
    this.#find(".day").title = since;
    write(this.#find(".day .of"), since ? "24 h*" : "24 h");
  }

  #said() {
    const channels = Object.entries(this.detail?.channels ?? {});
    const ill = channels.filter(([, [state]]) => state !== "valid");
    const alike = Map.groupBy(ill, ([, [state, cause]]) => `${state}${cause ? ` (${cause})` : ""}`);
    const texts = [...alike].map(([said, group]) => `${group.map(([name]) => name).join(", ")}: ${said}`);
    if (!this.detail) texts.push(this.line || !this.known ? "Nothing has arrived for this feed yet." : this.#absent());
    if (this.missing) texts.push(this.missing);
    const ofBooks = this.shows.view !== "candles" || !["", "open_interest", "funding"].includes(this.shows.below);
    if (this.minutes > BOOK_MINUTES && ofBooks) texts.push("Books are read for the last hour.");
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

function labelled() {
  const item = span("");
  item.append(span("soft"), span(""));
  return item;
}

function fact() {
  const div = document.createElement("div");
  div.append(document.createElement("dt"), document.createElement("dd"));
  return div;
}
