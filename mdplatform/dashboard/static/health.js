// The header's states, the connections' counters, what is wrong now, and what has changed since the page was opened.
import { age, byId, moment, rows, write } from "./format.js";

const SILENT_MS = 5000; // counters come once a second
const NOTICES_KEPT = 30;
const BANNER_MS = 15000; // how long a recovery stays announced

export class Health {
  constructor() {
    this.states = new Map(); // page, broker, warehouse: { state, since }
    this.recovered = null;
    this.stats = new Map(); // of each connection
  }

  // A source is in `state` since `since` (server's ms); says so where it was in another.
  note(name, state, since, nowMs, cause = "") {
    const before = this.states.get(name);
    if (before?.state === state || state === "connecting") return false;
    this.states.set(name, { state, since });
    if (!before) return false;
    const good = state === "reachable" || state === "live";
    const text = good
      ? `${name} answers again after ${age(since - before.since)}`
      : `${name} ${state}${cause ? `: ${cause}` : ""}`;
    if (good) this.recovered = { text, until: nowMs + BANNER_MS };
    this.#notice(`${moment(since, nowMs)} ${text}`, good ? "good" : "bad");
    return good;
  }

  banner(nowMs) {
    const ill = [...this.states].filter(([, { state }]) => !["reachable", "live", "connecting"].includes(state));
    const texts = ill.map(([name, { state, since }]) => `${name} ${state} since ${moment(since, nowMs)}: ${CONSEQUENCES[name]}`);
    const node = byId("banner");
    if (this.recovered && nowMs < this.recovered.until) texts.unshift(`${this.recovered.text}.`);
    node.hidden = !texts.length;
    write(node, texts.join(" "), ill.length ? "ill" : "well");
  }

  show(health, nowMs) {
    source("broker-state", health.broker, health.since_ms, `${health.brokers} ${health.cause}`, nowMs);
    source("warehouse-state", health.warehouse.state, health.warehouse.since_ms, health.warehouse.cause, nowMs);
    write(byId("last-message"), health.last_message_ms ? `${age(nowMs - health.last_message_ms)} ago` : "none yet");
    write(byId("feed-count"), `${health.feeds}${health.left_out ? ` (no room for more: ${health.left_out} messages left out)` : ""}`);
    byId("refused-line").hidden = !health.refused;
    write(byId("refused"), `${health.refused} messages that are not what their topic holds`, "warn");
  }

  // What has changed of the connections, and which are gone; with `full` this is all there is.
  connections(changed, ended, full, nowMs) {
    if (full) this.stats.clear();
    for (const key of ended) this.stats.delete(JSON.stringify(key));
    for (const stats of changed) this.stats.set(JSON.stringify([stats.exchange, stats.conn]), stats);
    const connections = [...this.stats.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, stats]) => stats);
    byId("no-connections").hidden = connections.length > 0;
    const classes = ["", "", ...Array(11).fill("n")];
    rows(byId("connections").tBodies[0], connections.length, classes).forEach((tr, i) => {
      const stats = connections[i];
      const silent = nowMs - stats.ts > SILENT_MS;
      const numbers = [
        rate(stats.frames_s, silent), rate(stats.events_s, silent), rate(stats.bytes_s / 1000, silent),
        fixed(stats.venue_lag_ms), fixed(stats.latency_p50_ms), fixed(stats.latency_p99_ms),
        String(stats.queue), String(stats.gaps), String(stats.reconnects), String(stats.dead_letters), age(nowMs - stats.ts),
      ];
      write(tr.cells[0], stats.conn.startsWith(stats.exchange) ? stats.conn : `${stats.exchange} ${stats.conn}`);
      write(tr.cells[1], silent ? "silent" : "live", silent ? "bad" : "good");
      numbers.forEach((text, k) => write(tr.cells[k + 2], text));
      tr.cells[9].className = stats.gaps ? "n warn" : "n";
      tr.cells[11].className = stats.dead_letters ? "n warn" : "n";
    });
  }

  troubles(feeds) {
    const ill = feeds.filter(({ state }) => state !== "valid");
    const texts = ill.map(({ exchange, symbol, state, cause }) => `${exchange} ${symbol}: ${state}, ${cause}`);
    if (!texts.length) texts.push("Every book is proven.");
    const list = byId("troubles");
    if ([...list.children].map((li) => li.textContent).join("\n") !== texts.join("\n")) {
      list.replaceChildren(...texts.map((text) => item(text, ill.length ? "warn" : "good")));
    }
  }

  #notice(text, className) {
    byId("notices").prepend(item(text, className));
    while (byId("notices").children.length > NOTICES_KEPT) byId("notices").lastChild.remove();
  }
}

const CONSEQUENCES = {
  page: "trying again; the figures are the last ones that arrived.",
  broker: "the figures are the last ones that arrived.",
  warehouse: "charts start with what arrives live.",
};

function source(id, state, since, cause, nowMs) {
  if (state === "reachable") write(byId(id), "reachable", "good");
  else write(byId(id), `${state} since ${moment(since, nowMs)}`, state === "connecting" ? "" : "bad");
  byId(id).title = cause || `since ${moment(since, nowMs)}`;
}

function item(text, className) {
  const li = document.createElement("li");
  li.textContent = text;
  li.className = className;
  return li;
}

function rate(number, silent) {
  if (silent) return "0";
  return Number.isFinite(number) ? number.toFixed(number < 10 ? 1 : 0) : "–";
}

function fixed(number) {
  return number == null ? "–" : number.toFixed(1);
}
