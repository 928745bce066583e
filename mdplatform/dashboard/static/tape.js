// The last trades of a feed, newest first, liquidations marked.
import { cell, even, evenSizes, fit, utc, write } from "./format.js";

const SHOWN = 60;
const KEPT = 400; // so that a filter by size finds some
const LIQUIDATIONS_KEPT = 300; // as marks on the chart, when they have left the tape

export class Tape {
  constructor(body) {
    this.body = body;
    this.step = null; // of the sizes, where the instrument has one
    this.least = 0; // smaller trades are left out; liquidations never
    this.entries = new Map(); // by kind and id
  }

  take(entries) {
    let fresh = false;
    for (const entry of entries) {
      const key = `${entry.kind} ${entry.id}`;
      if (this.entries.has(key)) continue;
      this.entries.set(key, { ...entry, tr: null });
      fresh = true;
    }
    if (fresh) this.#show();
  }

  sizesBy(step) {
    this.step = step;
    this.#show();
  }

  atLeast(size) {
    this.least = size;
    this.#show();
  }

  // The newest trade there is, however small.
  last() {
    return this.newest;
  }

  liquidations() {
    return [...this.entries.values()]
      .filter((entry) => entry.kind === "liquidation")
      .map(({ ts, price, side }) => ({ second: ts / 1000, price: Number(price), side }));
  }

  #show() {
    const sorted = [...this.entries.entries()].sort(([, a], [, b]) => b.ts - a.ts || (b.n ?? 0) - (a.n ?? 0));
    this.newest = sorted.find(([, entry]) => entry.kind === "trade")?.[1];
    const shown = sorted.filter(([, { kind, qty }]) => kind === "liquidation" || Number(qty) >= this.least).slice(0, SHOWN);
    for (const [, entry] of shown) entry.tr ??= row(entry);
    const prices = even(shown.map(([, { price }]) => price));
    const sizes = evenSizes(shown.map(([, { qty }]) => qty), this.step);
    shown.forEach(([, { tr }], i) => {
      write(tr.cells[1], prices[i]);
      write(tr.cells[2], sizes[i]);
    });
    fit(this.body.parentNode, [["00:00:00"], ["price", ...prices], ["size", ...sizes], shown.map(([, { tr }]) => tr.cells[3].textContent)]);
    this.body.replaceChildren(...shown.map(([, entry]) => entry.tr));
    const marks = sorted.slice(KEPT).filter(([, entry]) => entry.kind === "liquidation").slice(0, LIQUIDATIONS_KEPT);
    this.entries = new Map([...sorted.slice(0, KEPT), ...marks]);
  }
}

function row({ kind, id, side, ts }) {
  const tr = document.createElement("tr");
  const forced = kind === "liquidation";
  tr.className = forced ? "liquidation" : "";
  tr.append(cell(utc(ts), "", `${new Date(ts).toISOString()}, id ${id}`));
  tr.append(cell("", side === "buy" ? "n bid" : "n ask"), cell("", "n"), cell(forced ? `${side} LIQ` : side));
  if (forced) tr.cells[3].title = side === "sell" ? "a long was liquidated" : "a short was liquidated";
  return tr;
}
