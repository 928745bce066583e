// What the signal engine finds, as it comes; a symbol leads to its panel.
import { byId, cell, minus, significant, utc } from "./format.js";

const SHOWN = 50;
const GOOD = { up: "bid", buy: "bid", bid: "bid", down: "ask", sell: "ask", ask: "ask" };

export class Signals {
  constructor(choose) {
    this.choose = choose;
    this.body = byId("signals").querySelector("tbody");
  }

  take(signals, full) {
    if (full) this.body.replaceChildren();
    for (const signal of signals) this.body.prepend(this.#row(signal));
    while (this.body.rows.length > SHOWN) this.body.deleteRow(-1);
    byId("no-signals").hidden = this.body.rows.length > 0;
  }

  #row({ kind, exchange, exchanges, symbol, direction, value, threshold, unit, ts }) {
    const tr = document.createElement("tr");
    const where = document.createElement("td");
    const open = document.createElement("button");
    open.type = "button";
    open.className = "link";
    open.textContent = `${exchange} ${symbol}`;
    open.addEventListener("click", () => this.choose(`${exchange}/${symbol}`));
    where.append(open);
    const number = (of) => minus(significant(of, 4));
    tr.append(
      cell(utc(ts), "", new Date(ts).toISOString()), cell(kind.replaceAll("_", " ")), where,
      cell(direction || "–", GOOD[direction] ?? ""), cell(`${number(value)} ${unit}`, "n"), cell(`${number(threshold)} ${unit}`, "n soft"),
      cell(exchanges.length > 1 ? exchanges.join(", ") : "", "soft"),
    );
    return tr;
  }
}
