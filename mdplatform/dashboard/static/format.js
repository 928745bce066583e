// Numbers arrive as the venue's own text and are shown as such; here are times, cells and what is computed.

const MOST_DECIMALS = 15;

export const byId = (id) => document.getElementById(id);

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
  return { valid: "good", gap: "bad", down: "bad", silent: "bad", resync: "warn", stale: "warn" }[state] ?? "soft";
}

export function significant(number, digits = 7) {
  return number == null ? "–" : minus(number.toLocaleString("en", { maximumSignificantDigits: digits, useGrouping: false }));
}

// The same numbers with equally many decimals, at most so many, without zeros that none of them needs.
export function even(texts, most = MOST_DECIMALS) {
  const parts = texts.map((text) => {
    const [whole, decimals = ""] = plain(text, most).split(".");
    return [minus(whole), decimals.replace(/0+$/, "")];
  });
  const digits = Math.max(0, ...parts.map(([, decimals]) => decimals.length));
  return parts.map(([whole, decimals]) => (digits ? `${whole}.${decimals.padEnd(digits, "0")}` : whole));
}

// One price with so many decimals, zeros too: it keeps its width while it moves.
export function priced(text, decimals) {
  return minus(Number(text).toFixed(Math.min(decimals, MOST_DECIMALS)));
}

// As `even`, of sizes: multiples of the instrument's step, where there is one. What a venue counts in contracts worth quote
// is a quotient in base units: of its endless decimals so many as show the smallest to four digits.
export function evenSizes(texts, step) {
  const decimals = texts.map((text) => plain(text, MOST_DECIMALS).split(".")[1]?.length ?? 0);
  const least = Math.min(...texts.map(Number).filter((size) => size > 0));
  const enough = Math.min(8, Math.max(2, 2 * Math.ceil((3 - Math.floor(Math.log10(least))) / 2))); // even: fewer changes
  if (step) return even(texts, Math.max(decimalsOf(step), 0));
  return even(texts, Math.max(...decimals) > 8 && Number.isFinite(least) ? enough : MOST_DECIMALS);
}

export function decimalsOf(number) {
  return plain(Number(number).toPrecision(12), MOST_DECIMALS).replace(/0+$/, "").split(".")[1]?.length ?? 0;
}

function plain(text, most) {
  const written = /e/i.test(text) ? Number(text).toFixed(MOST_DECIMALS) : String(text);
  return (written.split(".")[1]?.length ?? 0) > most ? Number(written).toFixed(most) : written;
}

export function signed(number, digits = 2) {
  return number == null ? "–" : `${number < 0 ? "−" : "+"}${Math.abs(number).toFixed(digits)}`;
}

// One minus sign everywhere, as wide as a plus and a digit.
export function minus(text) {
  return typeof text === "string" ? text.replace(/^-(?=\d)/, "−") : text;
}

// How many characters the longest texts of a table's columns take together: what is long is written smaller, never cut.
export function fit(table, columns) {
  const longest = columns.map((texts) => Math.max(0, ...texts.map((text) => text.length)));
  table.style.setProperty("--chars", longest.reduce((sum, length) => sum + length, 0));
}

// Text always goes in as text: what a symbol is called is not for the page to interpret.
export function cell(text, className = "", title = "") {
  const td = document.createElement("td");
  td.textContent = text ?? "–";
  td.className = className;
  if (title) td.title = title;
  return td;
}

export function span(className) {
  const node = document.createElement("span");
  node.className = className;
  return node;
}

export function write(element, text, className) {
  if (element.textContent !== text) element.textContent = text;
  if (className !== undefined && element.className !== className) element.className = className;
}

// As many rows as wanted, each of these cells; rows are kept, so that what did not change is not touched.
export function rows(body, count, classNames) {
  while (body.rows.length > count) body.deleteRow(-1);
  while (body.rows.length < count) {
    const tr = body.insertRow();
    tr.append(...classNames.map((name) => cell("", name)));
  }
  return [...body.rows];
}

export function options(select, values, chosen) {
  const held = [...select.options].map((option) => option.value);
  if (held.join("\n") !== values.join("\n")) {
    select.replaceChildren(...values.map((value) => new Option(value, value)));
  }
  if (select.value !== chosen) select.value = chosen;
}
