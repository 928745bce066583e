// Numbers arrive as the venue's own text and are shown as such; here are only times and cells.

export function age(ms) {
  const s = Math.max(0, ms) / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 120) return `${Math.round(s)} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  if (s < 172800) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} d`;
}

export function utc(ms) {
  return new Date(ms).toISOString().slice(11, 19);
}

// Date too, unless it was today.
export function moment(ms, nowMs) {
  const text = new Date(ms).toISOString();
  return `${text.slice(0, 10) === new Date(nowMs).toISOString().slice(0, 10) ? "" : text.slice(0, 10) + " "}${text.slice(11, 19)} UTC`;
}

export function stateClass(state) {
  return { valid: "good", gap: "bad", down: "bad", silent: "bad", resync: "warn", stale: "warn" }[state] ?? "";
}

// Text always goes in as text: what a symbol is called is not for the page to interpret.
export function cell(text, className = "", title = "") {
  const td = document.createElement("td");
  td.textContent = text ?? "–";
  td.className = className;
  if (title) td.title = title;
  return td;
}

export function write(element, text, className) {
  if (element.textContent !== text) element.textContent = text;
  if (className !== undefined) element.className = className;
}
