// The table of feeds: one row a feed, updated in place, chosen by click, Enter, or the arrow keys.
import { age, cell, stateClass, write } from "./format.js";

const COLUMNS = [
  ["exchange"], ["symbol"], ["state"], ["bid", "n bid"], ["ask", "n ask"], ["spread_bps", "n"], ["age", "n"],
  ["mid", "n wide"], ["spread", "n wide"], ["imbalance", "n wide"], ["sequence", "n wide"],
];
const [SYMBOL, STATE, AGE] = ["symbol", "state", "age"].map((name) => COLUMNS.findIndex(([field]) => field === name));

export class Feeds {
  constructor(table, filter, choose) {
    this.body = table.tBodies[0];
    this.rows = new Map();
    this.choose = choose;
    this.filter = filter;
    filter.addEventListener("input", () => this.rows.forEach((entry) => this.#sift(entry)));
    this.body.addEventListener("click", (event) => this.#chosen(event.target.closest("tr")));
    this.body.addEventListener("keydown", (event) => this.#key(event));
  }

  update(rows, gone, full) {
    if (full) {
      this.rows.clear();
      this.body.replaceChildren();
    }
    for (const [exchange, symbol] of gone) {
      this.rows.get(key(exchange, symbol))?.tr.remove();
      this.rows.delete(key(exchange, symbol));
    }
    rows.forEach((row) => this.#put(row));
  }

  select(exchange, symbol) {
    for (const [name, { tr }] of this.rows) tr.setAttribute("aria-selected", String(name === key(exchange, symbol)));
  }

  tick(nowMs) {
    for (const { tr, row } of this.rows.values()) {
      write(tr.cells[AGE], row.received_ms === undefined ? "–" : age(nowMs - row.received_ms));
    }
  }

  #put(row) {
    const name = key(row.exchange, row.symbol);
    let entry = this.rows.get(name);
    if (!entry) {
      const tr = document.createElement("tr");
      tr.tabIndex = 0;
      tr.append(...COLUMNS.map(([, className]) => cell("", className)));
      tr.cells[SYMBOL].dataset.exchange = row.exchange; // shown there where the column has no room
      entry = { tr };
      this.rows.set(name, entry);
      const after = [...this.rows.keys()].filter((other) => other > name).sort()[0];
      this.body.insertBefore(tr, after ? this.rows.get(after).tr : null);
    }
    entry.row = row;
    COLUMNS.forEach(([field], index) => {
      if (field !== "age") write(entry.tr.cells[index], row[field] ?? "–");
    });
    const state = entry.tr.cells[STATE];
    state.className = stateClass(row.state);
    state.title = row.cause;
    this.#sift(entry);
  }

  #sift({ tr, row }) {
    const wanted = this.filter.value.trim().toLowerCase();
    tr.hidden = !`${row.exchange} ${row.symbol} ${row.state}`.toLowerCase().includes(wanted);
  }

  #chosen(tr) {
    for (const { tr: other, row } of this.rows.values()) if (other === tr) this.choose(row.exchange, row.symbol);
  }

  #key(event) {
    const tr = event.target.closest("tr");
    const shown = [...this.body.rows].filter((row) => !row.hidden);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      shown[shown.indexOf(tr) + step]?.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#chosen(tr);
    }
  }
}

export function key(exchange, symbol) {
  return `${exchange}\u0000${symbol}`;
}
