// The way from the venue to the built hour: how late each stage is, which hours are built, what Dagster's checks say.
import { age, byId, cell, rows, significant, write } from "./format.js";

const LOAD_MS = 10000;
const CLASSES = ["", "n", "n", "n", "n", "n", "n"];

export class Pipeline {
  constructor({ clock }) {
    this.clock = clock;
    this.inSight = false;
    new IntersectionObserver((entries) => {
      this.inSight = entries.at(-1).isIntersecting;
      if (this.inSight) this.load();
    }).observe(byId("pipeline"));
    setInterval(() => this.inSight && !document.hidden && this.load(), LOAD_MS);
  }

  async load() {
    const answer = await fetch("pipeline").catch(() => null);
    if (!answer?.ok) return write(byId("pipeline-said"), "The page's server does not answer.", "warn");
    const found = await answer.json();
    write(byId("pipeline-said"), found.warehouse ?? "", "warn");
    this.#stages(found.stages);
    this.#built(found.built, found.dagster);
    this.#dagster(found.dagster);
  }

  #stages(stages) {
    rows(byId("stages").tBodies[0], stages.length, CLASSES).forEach((tr, i) => {
      const { exchange, rows: count, last_ms, ...late } = stages[i];
      const texts = [exchange, String(count), ...["venue_p50_ms", "venue_p99_ms", "stored_p50_ms", "stored_p99_ms"].map((name) => String(late[name]).replace("-", "−")), age(this.clock() - last_ms)];
      texts.forEach((text, k) => write(tr.cells[k], text));
    });
    if (!stages.length) write(rows(byId("stages").tBodies[0], 1, ["soft"])[0].cells[0], "No trade in the last two minutes.");
  }

  #built(built, { url }) {
    const list = byId("built");
    list.replaceChildren(...built.map(({ hour_ms, built_ms, seconds, rows: count }) => {
      const tr = document.createElement("tr");
      const hour = new Date(hour_ms).toISOString().slice(0, 16).replace("T", " ");
      tr.append(cell(hour), cell(`${age(this.clock() - built_ms)} ago`, "n"), cell(`${significant(seconds, 3)} s`, "n"), cell(String(count), "n"));
      return tr;
    }));
    byId("no-built").hidden = built.length > 0;
    write(byId("no-built"), `No hour is built yet.${url ? " Dagster's job hourly_build does it." : ""}`);
  }

  #dagster({ url, cause, behind, checks, failing = [], stale = [], runs = [] }) {
    const list = byId("dagster");
    const items = [];
    if (cause) items.push(item(cause, url ? "warn" : "soft"));
    else {
      items.push(item(behind === null ? "no hour was ever built" : behind ? `${behind} complete hours are not built` : "every complete hour is built", behind ? "warn" : "good"));
      items.push(item(failing.length ? `${failing.length} of ${checks} checks fail` : `${checks} checks were judged in the last 48 hours, none fails`, failing.length ? "bad" : "good"));
      failing.forEach(({ asset, check, hours }) => items.push(item(`${check} of ${asset}: ${hours} hours`, "bad", `${url}/assets/${asset}?view=checks&checkDetail=${check}`)));
      stale.forEach((asset) => items.push(item(`${asset} is older than its policy allows`, "warn", `${url}/assets/${asset}`)));
      runs.forEach(({ job, status, count }) => items.push(item(`${count} ${status}: ${job}`, status === "failure" ? "bad" : "soft")));
    }
    list.replaceChildren(...items);
    byId("dagster-links").hidden = !url;
    for (const link of byId("dagster-links").querySelectorAll("a")) link.href = `${url}${link.dataset.path}`;
  }
}

function item(text, className, href) {
  const li = document.createElement("li");
  li.className = className;
  if (!href) li.textContent = text;
  else {
    const link = document.createElement("a");
    link.href = href;
    link.textContent = text;
    li.append(link);
  }
  return li;
}
