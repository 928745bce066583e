// Wiring: one stream of events from the server, the table, the chosen feed, the header.
import { show } from "./detail.js";
import { Feeds } from "./feeds.js";
import { age, cell, moment, write } from "./format.js";

const byId = (id) => document.getElementById(id);
const feeds = new Feeds(byId("feeds"), byId("filter"), choose);
let chosen = fromHash();
let source = null;
let clock = null; // server's time and ours when it was told
let health = null;
let connections = [];
let lostAt = null;

function fromHash() {
  const [exchange, symbol] = decodeURIComponent(location.hash.slice(1)).split("/");
  return exchange && symbol ? { exchange, symbol } : null;
}

function choose(exchange, symbol) {
  location.hash = `${encodeURIComponent(exchange)}/${encodeURIComponent(symbol)}`;
}

function open() {
  source?.close();
  source = new EventSource(chosen ? `events?${new URLSearchParams(chosen)}` : "events");
  source.onmessage = (event) => take(JSON.parse(event.data));
  source.onerror = () => {
    lostAt ??= Date.now();
    // After an answer that is no stream (a full house, a lost token) the browser gives up by itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(open, 3000);
    tick();
  };
}

function take(message) {
  lostAt = null;
  clock = { server: message.now_ms, here: performance.now() };
  ({ health, connections } = message);
  feeds.update(message.rows, message.gone, message.full);
  if (chosen && "detail" in message) show(message.detail, chosen.exchange, chosen.symbol);
  if (chosen && message.full && !("detail" in message)) show(null, chosen.exchange, chosen.symbol);
  if (chosen) feeds.select(chosen.exchange, chosen.symbol);
  byId("no-feeds").hidden = health.feeds > 0;
  showConnections(message.now_ms);
  tick();
}

function tick() {
  const page = byId("page-state");
  if (lostAt) write(page, `lost the server ${age(Date.now() - lostAt)} ago, trying again`, "bad");
  else write(page, clock ? "live" : "connecting", clock ? "good" : "");
  if (!clock) return;
  const now = clock.server + performance.now() - clock.here;
  feeds.tick(now);
  const since = `since ${moment(health.since_ms, now)}`;
  const broker = byId("broker-state");
  if (lostAt) write(broker, "not known while the page is cut off", "warn");
  else if (health.broker === "reachable") write(broker, "reachable", "good");
  else write(broker, `broker ${health.broker} ${since}`, "bad");
  broker.title = `${health.brokers} ${health.cause || since}`;
  write(byId("last-message"), health.last_message_ms ? `${age(now - health.last_message_ms)} ago` : "none yet");
  write(byId("feed-count"), `${health.feeds}${health.left_out ? ` (no room for more: ${health.left_out} messages left out)` : ""}`);
  byId("refused-line").hidden = !health.refused;
  write(byId("refused"), `${health.refused} messages that are not what their topic holds`, "warn");
}

function showConnections(now) {
  byId("connections").hidden = connections.length === 0;
  if (!byId("connections").open) return;
  byId("connections").querySelector("tbody").replaceChildren(
    ...connections.map((stats) => {
      const tr = document.createElement("tr");
      const numbers = ["symbols", "frames", "events", "reconnects", "gaps", "dead_letters", "queue", "latency_p99_ms", "venue_lag_ms"];
      tr.append(cell(stats.exchange), cell(stats.conn));
      tr.append(...numbers.map((name) => cell(stats[name]?.toLocaleString("en"), "n")), cell(age(now - stats.ts), "n"));
      return tr;
    }),
  );
}

addEventListener("hashchange", () => {
  chosen = fromHash();
  byId("detail").hidden = !chosen;
  open();
  if (chosen && innerWidth < 1000) requestAnimationFrame(() => byId("detail").scrollIntoView({ block: "start" }));
});
// A page nobody looks at needs no updates.
document.addEventListener("visibilitychange", () => (document.hidden ? source?.close() : open()));
byId("connections").addEventListener("toggle", () => clock && showConnections(clock.server));
setInterval(tick, 500);
open();
