// Wiring: one stream of events from the server, the table of feeds, the panels, the comparison, health.
import { Compare } from "./compare.js";
import { Coverage } from "./coverage.js";
import { Feeds } from "./feeds.js";
import { age, byId, write } from "./format.js";
import { Health } from "./health.js";
import { shortcuts } from "./keys.js";
import { Panel } from "./panel.js";
import { Pipeline } from "./pipeline.js";
import { BARS, MINUTES, MOST_PANELS, fits, go, mistakes, place, usualBar } from "./place.js";
import { Signals } from "./signals.js";
import { stored, store } from "./stored.js";
import { nextTheme, onTheme, startTheme } from "./theme.js";

const RETRY_MS = 2000; // after an answer that is no stream; a cut connection the browser mends by itself,
const PATIENCE_MS = 8000; // or we do after so long
const DEAF_MS = 4000; // the server speaks at least once a second
const PLOT_MS = 1000;
const DAY_MS = 60000; // as often as the server reads the last 24 hours

const health = new Health();
const feeds = new Feeds(byId("feeds"), byId("filter"), byId("grouping"), choose);
const compare = new Compare({ clock, chosen: (base) => go({ base }) });
const coverage = new Coverage();
const signals = new Signals(choose);
new Pipeline({ clock });
let panels = [];
let source = null;
let synced = null; // the server's time, and ours when it stated it
let last = null; // the last message
let lostAt = null; // ours
let triedAt = 0; // ours
let started = false; // something was shown, chosen or by itself
let active = 0;
let wrong = ""; // what is wrong with the address
let keep = false; // the next change of the address is the page's own: what was wrong with it still stands

function clock() {
  return synced ? synced.server + performance.now() - synced.here : Date.now();
}

function open() {
  source?.close();
  triedAt = performance.now();
  const { feeds: wanted, base } = place();
  const query = new URLSearchParams(wanted.map((feed) => ["feed", feed]));
  if (base) query.set("base", base);
  source = new EventSource(`events?${query}`);
  source.onmessage = (event) => take(JSON.parse(event.data));
  source.onerror = () => {
    lose();
    if (source.readyState === EventSource.CLOSED) setTimeout(open, RETRY_MS);
  };
}

function lose() {
  lostAt ??= clock();
  health.note("page", "cut off from its server", lostAt, clock());
  tick();
}

function take(message) {
  synced = { server: message.now_ms, here: performance.now() };
  last = message;
  lostAt = null;
  if (health.note("page", "live", message.now_ms, message.now_ms)) reload();
  const { broker, since_ms, cause, warehouse } = message.health;
  health.note("broker", broker, since_ms, message.now_ms, cause);
  if (health.note("warehouse", warehouse.state, warehouse.since_ms, message.now_ms, warehouse.cause)) reload();
  feeds.update(message.rows, message.gone, message.full);
  feeds.select(place().feeds);
  if (!started) begin();
  compare.take(message.compared);
  const all = feeds.all();
  for (const panel of panels) {
    const detail = message.details.find(({ exchange, symbol }) => `${exchange}/${symbol}` === panel.key);
    if (detail) panel.take(detail);
    panel.row(feeds.get(panel.key), all, feeds.days.get(panel.key));
  }
  compare.show(all, message.now_ms);
  health.connections(message.connections, message.ended, message.full, message.now_ms);
  health.troubles(all);
  signals.take(message.signals, message.full);
  byId("all-feeds").textContent = `All ${all.length} feeds`;
  byId("no-feeds").hidden = message.health.feeds > 0;
  tick();
}

function reload() {
  panels.forEach((panel) => panel.load());
  compare.reload();
  coverage.load();
  loadDay();
}

async function loadDay() {
  const answer = document.hidden ? null : await fetch("day").catch(() => null);
  if (answer?.ok) feeds.ofDay(await answer.json());
}

// With nothing chosen yet: the first feed, beside the first other venue of the same asset.
function begin() {
  const { feeds: wanted, base } = place();
  const all = feeds.all();
  if (!all.length) return;
  started = true;
  if (wanted.length && base) return;
  const first = feeds.get(wanted[0]) ?? all[0];
  const asset = first.symbol.split("-")[0];
  const other = all.find(({ exchange, symbol }) => exchange !== first.exchange && symbol.split("-")[0] === asset);
  const both = [first, other].filter(Boolean).map(({ exchange, symbol }) => `${exchange}/${symbol}`);
  const many = innerWidth > 1500 && document.body.classList.contains("compact");
  const more = all.filter((feed) => !both.includes(`${feed.exchange}/${feed.symbol}`)).map(({ exchange, symbol }) => `${exchange}/${symbol}`);
  keep = true;
  go({ feeds: wanted.length ? wanted : many ? [...both, ...more].slice(0, MOST_PANELS) : both.slice(0, 1), base: base || asset });
}

function tick() {
  const now = clock();
  if (!lostAt && synced && performance.now() - synced.here > DEAF_MS && !document.hidden) lose();
  if (lostAt && performance.now() - triedAt > PATIENCE_MS && !document.hidden) open();
  if (lostAt) write(byId("page-state"), `lost the server ${age(now - lostAt)} ago, trying again`, "bad");
  else write(byId("page-state"), synced ? "live" : "connecting", synced ? "good" : "");
  health.banner(now);
  if (!last) return;
  feeds.tick(now);
  health.show(last.health, now);
  if (lostAt) ["broker-state", "warehouse-state"].forEach((id) => write(byId(id), "not known", "warn"));
}

function choose(feed, beside) {
  const { feeds: wanted } = place();
  if (wanted.includes(feed)) return focusPanel(wanted.indexOf(feed));
  if (beside && wanted.length < MOST_PANELS) return go({ feeds: [...wanted, feed] });
  go({ feeds: wanted.length ? wanted.map((kept, i) => (i === Math.min(active, wanted.length - 1) ? feed : kept)) : [feed] });
  if (innerWidth < 1000) byId("panels").scrollIntoView({ block: "start" });
}

function add() {
  const { feeds: wanted, base } = place();
  const spare = feeds.all().filter(({ exchange, symbol }) => !wanted.includes(`${exchange}/${symbol}`));
  const next = spare.find(({ symbol }) => symbol.split("-")[0] === base) ?? spare[0];
  if (!next || wanted.length >= MOST_PANELS) return;
  active = wanted.length;
  go({ feeds: [...wanted, `${next.exchange}/${next.symbol}`] });
}

function close(index) {
  go({ feeds: place().feeds.filter((_, i) => i !== index) });
  active = Math.max(0, Math.min(active, panels.length - 2));
}

function focusPanel(index) {
  if (!panels[index]) return;
  active = index;
  panels[index].node.focus();
}

// The panels as the address wants them; those that stay keep what they have.
function arrange() {
  const { feeds: wanted, base, minutes, bar } = place();
  if (!keep) wrong = mistakes().join(" · ");
  keep = false;
  byId("mistakes").hidden = !wrong;
  write(byId("mistakes"), wrong && `In this page's address: ${wrong}`);
  while (panels.length > wanted.length) panels.pop().destroy();
  wanted.forEach((text, index) => {
    const [exchange, ...rest] = text.split("/");
    const feed = { exchange, symbol: rest.join("/") };
    if (!panels[index]) install(index, feed);
    else if (panels[index].key !== text) panels[index].show(feed);
    panels[index].span(minutes, bar ?? usualBar(minutes));
    panels[index].row(feeds.get(text), feeds.all(), feeds.days.get(text));
  });
  byId("panels").dataset.count = panels.length;
  byId("minutes").value = minutes;
  for (const option of byId("bar").options) option.disabled = option.value !== "" && !fits(minutes, Number(option.value));
  byId("bar").value = bar ?? "";
  byId("add").disabled = panels.length >= MOST_PANELS;
  compare.choose(base, minutes);
  feeds.select(wanted);
  open();
}

function install(index, feed) {
  const panel = new Panel(feed, {
    clock,
    changed: (exchange, symbol) => go({ feeds: place().feeds.map((kept, i) => (i === index ? `${exchange}/${symbol}` : kept)) }),
    closed: () => close(index),
  });
  const { minutes, bar } = place();
  [panel.minutes, panel.bar] = [minutes, bar ?? usualBar(minutes)];
  panel.node.querySelector(".number").textContent = index + 1;
  panel.node.addEventListener("focusin", () => (active = index));
  byId("panels").append(panel.node);
  panels[index] = panel;
  panel.draw();
}

function plot() {
  if (document.hidden) return;
  panels.forEach((panel) => panel.plot());
  compare.plot();
}

function step(by) {
  const next = MINUTES[MINUTES.indexOf(place().minutes) + by];
  if (next) go({ minutes: next });
}

// Compact: four panels at once on a large screen, each as high as its share; else each as high as it likes.
function layout(compact) {
  document.body.classList.toggle("compact", compact);
  byId("layout").setAttribute("aria-pressed", String(compact));
  store("compact", compact);
  panels.forEach((panel) => panel.redraw());
}

const toggleLayout = () => layout(!document.body.classList.contains("compact"));

byId("bar").append(...BARS.map((seconds) => new Option(seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${seconds / 60} min` : "1 h", seconds)));
layout(stored("compact", true));

startTheme(byId("theme"));
onTheme(() => {
  panels.forEach((panel) => panel.redraw());
  compare.redraw();
});
byId("theme").addEventListener("click", () => nextTheme(byId("theme")));
byId("keys").addEventListener("click", () => byId("shortcuts").showModal());
byId("add").addEventListener("click", add);
byId("layout").addEventListener("click", toggleLayout);
byId("more").addEventListener("click", () => byId("more").setAttribute("aria-expanded", String(document.body.classList.toggle("menu"))));
byId("all-feeds").addEventListener("click", () => byId("overview").classList.add("all"));
byId("minutes").addEventListener("change", () => go({ minutes: Number(byId("minutes").value) }));
byId("bar").addEventListener("change", () => go({ bar: Number(byId("bar").value) || null }));
shortcuts([
  ["/", "filter the feeds", () => byId("filter").focus()],
  ["f", "to the table of feeds", () => feeds.focus()],
  ["↑ ↓", "in the table: up and down"],
  ["Enter", "in the table: show in the active panel; with Shift: in a new one"],
  ["*", "in the table: make a favourite of it, or no longer"],
  ["← → + − 0", "in a chart: move, zoom, reset; so do mouse, wheel, fingers and a double click"],
  ["1 2 3 4", "to this panel", (key) => focusPanel(Number(key) - 1)],
  ["v", "venue of the active panel", () => panels[active]?.venue.focus()],
  ["s", "symbol of the active panel", () => panels[active]?.symbol.focus()],
  ["a", "add a panel", add],
  ["x", "close the active panel", () => panels[active] && close(active)],
  ["[ ]", "shorter, longer span", (key) => step(key === "]" ? 1 : -1)],
  ["c", "to the comparison across venues", () => byId("base").focus()],
  ["g", "to coverage and gaps", () => byId("coverage").scrollIntoView()],
  ["h", "to feed health", () => byId("feed-health").scrollIntoView()],
  ["p", "to signals and the pipeline", () => byId("signals").scrollIntoView()],
  ["l", "layout: compact or roomy", toggleLayout],
  ["t", "theme: as the system, light, dark", () => nextTheme(byId("theme"))],
  ["?", "these keys", () => byId("shortcuts").showModal()],
]);
addEventListener("hashchange", arrange);
// A page nobody looks at needs no updates.
document.addEventListener("visibilitychange", () => (document.hidden ? source?.close() : open()));
setInterval(tick, 500);
setInterval(plot, PLOT_MS);
setInterval(loadDay, DAY_MS);
arrange();
loadDay();
