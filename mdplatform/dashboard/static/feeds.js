// The table of feeds: one row a feed, updated in place, chosen by click, Enter, or the arrow keys.
import { age, cell, even, minus, span, stateClass, write } from "./format.js";

const [NAME, STATE, PRICES, BPS, AGE] = [0, 1, 2, 3, 4];
const CLASSES = ["", "", "n", "n", "n"];

// What each column is sorted by; what is missing stands last either way.
const KEYS = [
  ({ exchange, symbol }) => `${exchange}/${symbol}`,
  ({ state }) => state,
  ({ bid }) => bid && Number(bid),
  ({ spread_bps }) => spread_bps && Number(spread_bps),
  ({ received_ms }) => received_ms && -received_ms,
];

export class Feeds {
  constructor(table, filter, choose) {
    this.body = table.tBodies[0];
    this.entries = new Map();
    this.choose = choose;
    this.filter = filter;
    this.sorted = { column: NAME, down: false };
    this.heads = [...table.tHead.rows[0].cells];
    this.heads.forEach((th, column) => th.firstElementChild.addEventListener("click", () => this.#sortBy(column)));
    filter.addEventListener("input", () => this.entries.forEach((entry) => this.#sift(entry)));
    filter.addEventListener("keydown", (event) => event.key === "ArrowDown" && this.#shown()[0]?.focus());
    this.body.addEventListener("click", (event) => this.#chosen(event.target.closest("tr"), event.shiftKey));
    this.body.addEventListener("keydown", (event) => this.#key(event));
  }

  update(rows, gone, full) {
    if (full) {
      this.entries.clear();
      this.body.replaceChildren();
    }
    for (const [exchange, symbol] of gone) {
      this.entries.get(`${exchange}/${symbol}`)?.tr.remove();
      this.entries.delete(`${exchange}/${symbol}`);
    }
    rows.forEach((row) => this.#put(row));
  }

  get(key) {
    return this.entries.get(key)?.row;
  }

  all() {
    return [...this.entries.values()].map(({ row }) => row);
  }

  select(keys) {
    for (const [name, { tr }] of this.entries) tr.setAttribute("aria-current", String(keys.includes(name)));
  }

  tick(nowMs) {
    this.#arrange();
    for (const { tr, row } of this.entries.values()) {
      write(tr.cells[AGE], row.received_ms === undefined ? "–" : age(nowMs - row.received_ms));
    }
  }

  #put(row) {
    const name = `${row.exchange}/${row.symbol}`;
    let entry = this.entries.get(name);
    if (!entry) {
      const tr = document.createElement("tr");
      tr.tabIndex = 0;
      tr.dataset.feed = name;
      tr.append(...CLASSES.map((className) => cell("", className)));
      tr.cells[NAME].append(span("soft"), span(""));
      tr.cells[PRICES].append(span("bid"), span("ask"));
      entry = { tr };
      this.entries.set(name, entry);
      const after = [...this.entries.keys()].filter((other) => other > name).sort()[0];
      this.body.insertBefore(tr, after ? this.entries.get(after).tr : null);
    }
    entry.row = row;
    const { cells } = entry.tr;
    write(cells[NAME].firstChild, row.exchange);
    write(cells[NAME].lastChild, row.symbol);
    write(cells[STATE], row.state, stateClass(row.state));
    cells[STATE].title = row.cause;
    const [bid, ask] = even([row.bid ?? "–", row.ask ?? "–"]);
    write(cells[PRICES].firstChild, bid);
    write(cells[PRICES].lastChild, ask);
    write(cells[BPS], minus(row.spread_bps) ?? "–");
    entry.tr.dataset.received = row.received_ms;
    this.#sift(entry);
  }

  #sortBy(column) {
    this.sorted = { column, down: this.sorted.column === column && !this.sorted.down };
    this.heads.forEach((th, k) => (k === column ? th.setAttribute("aria-sort", this.sorted.down ? "descending" : "ascending") : th.removeAttribute("aria-sort")));
    this.#arrange();
  }

  // Not while a row has the focus: it would move away from under the reader.
  #arrange() {
    if (this.body.contains(document.activeElement)) return;
    const key = KEYS[this.sorted.column];
    const places = [...this.entries.values()].sort((one, other) => {
      const [a, b] = [key(one.row) ?? null, key(other.row) ?? null];
      if (a === b || a === null || b === null) return (a === null) - (b === null);
      return (a < b ? -1 : 1) * (this.sorted.down ? -1 : 1);
    });
    places.forEach(({ tr }, i) => this.body.rows[i] !== tr && this.body.insertBefore(tr, this.body.rows[i]));
  }

  #sift({ tr, row }) {
    const wanted = this.filter.value.trim().toLowerCase();
    tr.hidden = !`${row.exchange} ${row.symbol} ${row.state}`.toLowerCase().includes(wanted);
  }

  #shown() {
    return [...this.body.rows].filter((row) => !row.hidden);
  }

  #chosen(tr, beside) {
    if (tr) this.choose(tr.dataset.feed, beside);
  }

  #key(event) {
    const tr = event.target.closest("tr");
    const shown = this.#shown();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      shown[shown.indexOf(tr) + step]?.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#chosen(tr, event.shiftKey);
    }
  }
}
