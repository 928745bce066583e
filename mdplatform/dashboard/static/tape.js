// The last prints of a feed, newest first, liquidations marked.
import { cell, even, utc, write } from "./format.js";

const SHOWN = 60;
const LIQUIDATIONS_KEPT = 300; // as marks on the chart, when they have left the tape

export class Tape {
  constructor(body) {
    this.body = body;
    this.prints = new Map(); // by kind and id
  }

  take(prints) {
    let fresh = false;
    for (const print of prints) {
      const key = `${print.kind} ${print.id}`;
      if (this.prints.has(key)) continue;
      this.prints.set(key, { ...print, tr: null });
      fresh = true;
    }
    if (fresh) this.#show();
  }

  liquidations() {
    return [...this.prints.values()]
      .filter((print) => print.kind === "liquidation")
      .map(({ ts, price, side }) => ({ second: ts / 1000, price: Number(price), side }));
  }

  #show() {
    const sorted = [...this.prints.entries()].sort(([, a], [, b]) => b.ts - a.ts || (b.n ?? 0) - (a.n ?? 0));
    const shown = sorted.slice(0, SHOWN);
    for (const [, print] of shown) print.tr ??= row(print);
    const [prices, sizes] = ["price", "qty"].map((field) => even(shown.map(([, print]) => print[field])));
    shown.forEach(([, { tr }], i) => {
      write(tr.cells[1], prices[i]);
      write(tr.cells[2], sizes[i]);
    });
    this.body.replaceChildren(...shown.map(([, print]) => print.tr));
    const marks = sorted.slice(SHOWN).filter(([, print]) => print.kind === "liquidation").slice(0, LIQUIDATIONS_KEPT);
    this.prints = new Map([...shown, ...marks]);
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
