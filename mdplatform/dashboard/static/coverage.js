// The calendar of coverage: a row a feed, a square a day or hour; a click on one lists its gaps. What venues publish of the
// unproven time is marked in it, and listed below with the commands that load it.
import { age, byId, cell, write } from "./format.js";

const LOAD_MS = 300000; // as often as it is read again while it is looked at
const DAY_MS = 86400000;
const SHADES = [[1, "whole"], [0.999, "most"], [0.99, "some"], [0.9, "few"], [0, "none"]];

export class Coverage {
  constructor() {
    this.cells = [];
    this.loadable = [];
    this.step = 0;
    this.loadedAt = -Infinity;
    this.chosen = null;
    byId("days").addEventListener("change", () => this.load());
    byId("coverage-filter").addEventListener("input", () => this.draw());
    this.seen = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && this.stale());
    this.seen.observe(byId("coverage"));
  }

  stale() {
    if (performance.now() - this.loadedAt > LOAD_MS) this.load();
  }

  async load() {
    this.loadedAt = performance.now();
    const answer = await fetch(`coverage?days=${byId("days").value}`).catch(() => null);
    if (!answer?.ok) {
      this.loadedAt = -Infinity;
      return write(byId("coverage-said"), "the warehouse does not answer", "warn");
    }
    const { cells, loadable, step_ms } = await answer.json();
    this.cells = cells;
    this.loadable = loadable;
    this.step = step_ms;
    this.draw();
  }

  draw() {
    const wanted = byId("coverage-filter").value.toLowerCase();
    const feeds = new Map();
    for (const [exchange, symbol, channel, at, proven, gaps, prevented, missed] of this.cells) {
      const key = [exchange, symbol, channel].join("/");
      if (!key.toLowerCase().includes(wanted)) continue;
      if (!feeds.has(key)) feeds.set(key, new Map());
      feeds.get(key).set(at, { key, at, proven, gaps, prevented, missed });
    }
    const offers = this.loadable.filter(({ exchange, symbol, channel }) => feeds.has([exchange, symbol, channel].join("/")));
    const days = new Map();
    for (const { exchange, symbol, channel, days: some } of offers) days.set([exchange, symbol, channel].join("/"), new Set(some));
    const unknown = this.step < DAY_MS ? [] : this.loadable.flatMap((offer) => offer.days);
    const times = [...new Set([...this.cells.map((row) => row[3]), ...unknown])].sort((a, b) => a - b);
    write(byId("coverage-said"), feeds.size ? "" : "No collector has stated anything of such a feed.", "soft");
    const heads = times.map((at) => head(new Date(at).toISOString().slice(...(this.step < DAY_MS ? [11, 16] : [5, 10]))));
    byId("calendar").tHead.rows[0].replaceChildren(head("feed", ""), head("gaps"), ...heads);
    byId("calendar").tBodies[0].replaceChildren(...[...feeds].map(([key, found]) => this.row(key, found, times, days.get(key))));
    for (const id of ["loadable-title", "loadable"]) byId(id).hidden = !offers.length;
    byId("loadable").tBodies[0].replaceChildren(...offers.map(offered));
  }

  row(key, found, times, days) {
    const tr = document.createElement("tr");
    const th = document.createElement("th");
    th.scope = "row";
    th.textContent = key.replaceAll("/", " ");
    const gaps = [...found.values()].reduce((sum, { gaps }) => sum + gaps, 0);
    const squares = times.map((at) => this.square(found.get(at), key, at, days?.has(Math.floor(at / DAY_MS) * DAY_MS)));
    tr.append(th, cell(String(gaps), "n"), ...squares);
    return tr;
  }

  square(found, key, at, isPublished) {
    const td = document.createElement("td");
    const isLoadable = isPublished && found?.proven !== 1;
    if (!found && !isLoadable) return td;
    const button = document.createElement("button");
    button.type = "button";
    button.className = `square ${found ? SHADES.find(([least]) => found.proven >= least)[1] : "unknown"}`;
    button.classList.toggle("loadable", isLoadable);
    button.title = `${moment(at)}: ${found ? figures(found) : "not collected"}${isLoadable ? "; the venue publishes it" : ""}`;
    button.setAttribute("aria-label", `${key} ${button.title}`);
    button.addEventListener("click", () => this.choose({ key, at }, button));
    td.append(button);
    return td;
  }

  async choose(found, button) {
    this.chosen?.setAttribute("aria-pressed", "false");
    this.chosen = button;
    button.setAttribute("aria-pressed", "true");
    const query = new URLSearchParams({ feed: found.key, from: found.at, to: found.at + this.step });
    const answer = await fetch(`gaps?${query}`).catch(() => null);
    if (this.chosen !== button) return;
    const gaps = answer?.ok ? await answer.json() : null;
    const title = `${found.key.replaceAll("/", " ")}, ${moment(found.at)}: `;
    byId("gaps-title").hidden = false;
    write(byId("gaps-title"), title + (gaps ? `${gaps.length || "no"} gaps` : "the warehouse does not answer"));
    byId("gaps").hidden = !gaps?.length;
    byId("gaps").tBodies[0].replaceChildren(...(gaps ?? []).map(line));
  }
}

function figures({ proven, gaps, prevented, missed }) {
  const share = proven === 1 ? "100" : Math.min(proven * 100, 99.9999).toFixed(4);
  return `${share} %, ${gaps} gaps, ${prevented} prevented, ${missed} missed`;
}

function offered({ exchange, symbol, channel, holds, days, unproven_s, commands }) {
  const tr = document.createElement("tr");
  const td = document.createElement("td");
  for (const command of commands) {
    const code = document.createElement("code");
    code.textContent = command;
    td.append(code);
  }
  const dates = [days[0], days.at(-1)].map((at) => moment(at).slice(0, 10));
  const span = days.length === 1 ? dates[0] : `${days.length} days, ${dates.join(" to ")}`;
  tr.append(cell([exchange, symbol, channel].join(" ")), cell(holds), cell(span), cell(`${(unproven_s / 3600).toFixed(2)} h`, "n"), td);
  return tr;
}

function line(gap) {
  const tr = document.createElement("tr");
  const lasted = gap.ended_at ? age(new Date(gap.ended_at) - new Date(gap.started_at)) : "?";
  tr.append(
    cell(gap.started_at.slice(0, 23).replace("T", " ").replace("Z", "")), cell(lasted, "n"), cell(gap.state), cell(gap.cause),
    cell(gap.missed == null ? "–" : String(gap.missed), "n"), cell(gap.collector), cell(gap.prevented ? "by another collector" : "no"),
  );
  return tr;
}

function head(text, className = "n") {
  const th = document.createElement("th");
  th.scope = "col";
  th.className = className;
  th.textContent = text;
  return th;
}

function moment(ms) {
  return new Date(ms).toISOString().slice(0, 16).replace("T", " ");
}
