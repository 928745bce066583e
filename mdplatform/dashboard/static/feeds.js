// The table of feeds: one row a feed, updated in place, chosen by click, Enter, or the arrow keys; favourites first.
import { age, cell, decimalsOf, even, fit, minus, priced, signed, span, stateClass, write } from "./format.js";
import { stored, store } from "./stored.js";

const [NAME, STATE, LAST, DAY, PRICES, BPS, AGE] = [0, 1, 2, 3, 4, 5, 6];
const CLASSES = ["", "", "n", "n", "n", "n", "n"];
const WIDTHS = ["BTC-USDT-P unknown +00.00 00 min"]; // of the columns whose texts are alike
const FIRST = 8; // rows that a phone shows before it is asked for all
const GROUPS = { asset: ({ symbol }) => symbol.split("-")[0], venue: ({ exchange }) => exchange };
const FAVOURITES = "favourites";

// What each column is sorted by; what is missing stands last either way.
const KEYS = [
  ({ row }) => `${row.exchange}/${row.symbol}`,
  ({ row }) => row.state,
  ({ row }) => row.last && Number(row.last),
  ({ change }) => change,
  ({ row }) => row.bid && Number(row.bid),
  ({ row }) => row.spread_bps && Number(row.spread_bps),
  ({ row }) => row.received_ms && -row.received_ms,
];

export class Feeds {
  constructor(table, filter, grouping, choose) {
    this.table = table;
    this.body = table.tBodies[0];
    this.entries = new Map();
    this.days = new Map(); // by feed: the last 24 hours
    this.favourites = new Set(stored("favourites", []));
    this.choose = choose;
    this.filter = filter;
    this.grouping = grouping;
    grouping.value = stored("grouping", "");
    grouping.addEventListener("change", () => {
      store("grouping", grouping.value);
      this.#arrange(true);
    });
    this.sorted = { column: NAME, down: false };
    this.heads = [...table.tHead.rows[0].cells];
    this.heads.forEach((th, column) => th.firstElementChild.addEventListener("click", () => this.#sortBy(column)));
    filter.addEventListener("input", () => this.#arrange(true));
    filter.addEventListener("keydown", (event) => event.key === "ArrowDown" && this.#shown()[0]?.focus());
    this.body.addEventListener("click", (event) => this.#clicked(event));
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
    const before = this.entries.size;
    rows.forEach((row) => this.#put(row));
    if (this.entries.size !== before) this.#arrange();
  }

  // The last 24 hours of each feed, as the server answers `/day`.
  ofDay(days) {
    this.days = new Map(days.map((day) => [`${day.exchange}/${day.symbol}`, day]));
    this.entries.forEach((entry) => this.#day(entry));
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
    const texts = [];
    for (const { tr, row } of this.entries.values()) {
      write(tr.cells[AGE], row.received_ms === undefined ? "–" : age(nowMs - row.received_ms));
      texts.push([tr.cells[LAST].textContent, tr.cells[PRICES].firstChild.textContent, tr.cells[PRICES].lastChild.textContent, tr.cells[BPS].textContent]);
    }
    fit(this.table, [WIDTHS, texts.map(([last]) => last), texts.flatMap(([, bid, ask]) => [bid, ask]), texts.map(([, , , bps]) => bps)]);
  }

  focus() {
    this.#shown()[0]?.focus();
  }

  #put(row) {
    const name = `${row.exchange}/${row.symbol}`;
    const entry = this.entries.get(name) ?? this.#made(name, row);
    entry.row = row;
    const { cells } = entry.tr;
    write(cells[STATE], row.state, stateClass(row.state));
    cells[STATE].title = row.cause;
    const [bid, ask] = even([row.bid ?? "–", row.ask ?? "–"]);
    write(cells[PRICES].firstChild, bid);
    write(cells[PRICES].lastChild, ask);
    write(cells[BPS], minus(row.spread_bps) ?? "–");
    const decimals = Math.max(2, ...[row.bid, row.ask].filter(Boolean).map(decimalsOf));
    write(cells[LAST], row.last ? priced(row.last, decimals) : "–");
    this.#day(entry);
  }

  #made(name, row) {
    const tr = document.createElement("tr");
    tr.tabIndex = 0;
    tr.dataset.feed = name;
    tr.append(...CLASSES.map((className) => cell("", className)));
    const star = document.createElement("button");
    star.type = "button";
    star.className = "star";
    star.setAttribute("aria-label", `favourite ${row.exchange} ${row.symbol}`);
    const text = span("name");
    text.append(span("soft"), span(""));
    write(text.firstChild, row.exchange);
    write(text.lastChild, row.symbol);
    tr.cells[NAME].append(star, text);
    tr.cells[PRICES].append(span("bid"), span("ask"));
    const entry = { tr, star, name, row, change: null };
    this.#star(entry);
    this.entries.set(name, entry);
    return entry;
  }

  #day(entry) {
    const { tr, row, name } = entry;
    const day = this.days.get(name);
    const last = Number(row.last ?? day?.last);
    entry.change = day && last ? (last / day.open - 1) * 100 : null;
    write(tr.cells[DAY], entry.change === null ? "–" : signed(entry.change), `n ${entry.change === null ? "" : entry.change < 0 ? "ask" : "bid"}`);
  }

  #sortBy(column) {
    this.sorted = { column, down: this.sorted.column === column && !this.sorted.down };
    this.heads.forEach((th, k) => (k === column ? th.setAttribute("aria-sort", this.sorted.down ? "descending" : "ascending") : th.removeAttribute("aria-sort")));
    this.#arrange(true);
  }

  // Rows and, where they are grouped, headings. Unless it was asked for, not while a row has the focus: it would move away
  // from under the reader.
  #arrange(asked = false) {
    if (!asked && this.body.contains(document.activeElement)) return;
    const wanted = this.filter.value.trim().toLowerCase();
    const group = GROUPS[this.grouping.value];
    const groupOf = (entry) => (this.favourites.has(entry.name) ? FAVOURITES : (group?.(entry.row) ?? ""));
    const places = [...this.entries.values()].sort((one, other) => {
      const [a, b] = [groupOf(one), groupOf(other)];
      if (a !== b) return a === FAVOURITES ? -1 : b === FAVOURITES ? 1 : a < b ? -1 : 1;
      return this.#compared(one, other);
    });
    const wish = [];
    let heading = "";
    let shown = 0;
    for (const entry of places) {
      const { tr, row } = entry;
      tr.hidden = !`${row.exchange} ${row.symbol} ${row.state}`.toLowerCase().includes(wanted);
      if (!tr.hidden) tr.classList.toggle("beyond", shown++ >= FIRST);
      if (group && !tr.hidden && groupOf(entry) !== heading) wish.push(this.#heading((heading = groupOf(entry)), tr.classList.contains("beyond")));
      wish.push(tr);
    }
    wish.forEach((tr, i) => this.body.rows[i] !== tr && this.body.insertBefore(tr, this.body.rows[i] ?? null));
    while (this.body.rows.length > wish.length) this.body.deleteRow(-1);
    this.table.dataset.shown = shown;
  }

  #compared(one, other) {
    const key = KEYS[this.sorted.column];
    const [a, b] = [key(one) ?? null, key(other) ?? null];
    if (a === b || a === null || b === null) return (a === null) - (b === null);
    return (a < b ? -1 : 1) * (this.sorted.down ? -1 : 1);
  }

  #heading(text, beyond) {
    this.headings ??= new Map();
    if (!this.headings.has(text)) {
      const tr = document.createElement("tr");
      tr.className = "group";
      const th = document.createElement("th");
      th.colSpan = CLASSES.length;
      th.scope = "rowgroup";
      th.textContent = text;
      tr.append(th);
      this.headings.set(text, tr);
    }
    this.headings.get(text).classList.toggle("beyond", beyond);
    return this.headings.get(text);
  }

  #star({ star, name }) {
    const is = this.favourites.has(name);
    write(star, is ? "★" : "☆");
    star.setAttribute("aria-pressed", String(is));
  }

  #favour(name) {
    if (!this.favourites.delete(name)) this.favourites.add(name);
    store("favourites", [...this.favourites]);
    this.#star(this.entries.get(name));
    this.#arrange(true);
    this.entries.get(name).tr.focus({ preventScroll: true });
  }

  #shown() {
    return [...this.body.querySelectorAll("tr[data-feed]")].filter((row) => !row.hidden);
  }

  #clicked(event) {
    const tr = event.target.closest("tr[data-feed]");
    if (!tr) return;
    if (event.target.closest(".star")) this.#favour(tr.dataset.feed);
    else this.choose(tr.dataset.feed, event.shiftKey);
  }

  #key(event) {
    const tr = event.target.closest("tr");
    const shown = this.#shown();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      shown[shown.indexOf(tr) + step]?.focus();
    } else if (event.key === "*" && tr.dataset.feed) {
      this.#favour(tr.dataset.feed);
    } else if ((event.key === "Enter" || event.key === " ") && event.target === tr) {
      event.preventDefault();
      this.choose(tr.dataset.feed, event.shiftKey);
    }
  }
}
