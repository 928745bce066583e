// The calendar of coverage: a row a feed, a square a day or hour; a click on one lists its gaps.
import { age, byId, cell, write } from "./format.js";

const LOAD_MS = 300000; // as often as it is read again while it is looked at
const SHADES = [[1, "whole"], [0.999, "most"], [0.99, "some"], [0.9, "few"], [0, "none"]];

export class Coverage {
  constructor() {
    this.cells = [];
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
    const { cells, step_ms } = await answer.json();
    this.cells = cells;
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
    const times = [...new Set(this.cells.map((row) => row[3]))].sort((a, b) => a - b);
    write(byId("coverage-said"), feeds.size ? "" : "No collector has stated anything of such a feed.", "soft");
    const heads = times.map((at) => head(new Date(at).toISOString().slice(...(this.step < 86400000 ? [11, 16] : [5, 10]))));
    byId("calendar").tHead.rows[0].replaceChildren(head("feed", ""), head("gaps"), ...heads);
    byId("calendar").tBodies[0].replaceChildren(...[...feeds].map(([key, found]) => this.row(key, found, times)));
  }

  row(key, found, times) {
    const tr = document.createElement("tr");
    const th = document.createElement("th");
    th.scope = "row";
    th.textContent = key.replaceAll("/", " ");
    const gaps = [...found.values()].reduce((sum, { gaps }) => sum + gaps, 0);
    tr.append(th, cell(String(gaps), "n"), ...times.map((at) => this.square(found.get(at))));
    return tr;
  }

  square(found) {
    const td = document.createElement("td");
    if (!found) return td;
    const button = document.createElement("button");
    button.type = "button";
    button.className = `square ${SHADES.find(([least]) => found.proven >= least)[1]}`;
    const share = found.proven === 1 ? "100" : Math.min(found.proven * 100, 99.9999).toFixed(4);
    button.title = `${moment(found.at)}: ${share} %, ${found.gaps} gaps, ${found.prevented} prevented, ${found.missed} missed`;
    button.setAttribute("aria-label", `${found.key} ${button.title}`);
    button.addEventListener("click", () => this.choose(found, button));
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
