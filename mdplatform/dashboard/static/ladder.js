// The book as a ladder: asks above, bids below; a bar for the size of each level and a fainter one for all up to it.
import { decimalsOf, even, evenSizes, fit, rows, significant, write } from "./format.js";

export const LEVELS = 12;
export const GROUPS = [1, 2, 5, 10, 20, 50, 100, 500, 1000]; // ticks

export function showLadder(table, { bids, asks }, { step, tick, group = 1, levels = LEVELS }) {
  const width = tick && group > 1 ? tick * group : 0;
  const shown = [grouped(asks, width, Math.ceil), grouped(bids, width, Math.floor)].map((side) => side.slice(0, levels));
  const prices = even(shown.flat().map(([price]) => price));
  const sizes = evenSizes(shown.flat().map(([, size]) => size), step);
  const texts = prices.map((price, i) => [price, sizes[i]]);
  const [above, below] = [cumulated(texts.slice(0, shown[0].length)), cumulated(texts.slice(shown[0].length))];
  const all = [...above, ...below];
  const largest = Math.max(0, ...all.map((level) => Number(level.size)));
  const most = Math.max(0, ...all.map((level) => Number(level.sum)));
  fill(table.querySelector(".asks"), above.reverse(), "n ask", largest, most);
  fill(table.querySelector(".bids"), below, "n bid", largest, most);
  fit(table, ["price", "size", "sum"].map((name) => [name, ...all.map((level) => level[name])]));
  const [touch] = rows(table.querySelector(".touch"), 1, ["n"]);
  touch.cells[0].colSpan = 3;
  const spread = bids.length && asks.length ? Number(asks[0][0]) - Number(bids[0][0]) : null;
  write(touch.cells[0], spread === null ? "one side is empty" : `spread ${significant(spread, 6)}`);
}

// Levels as one a bucket: asks at its upper, bids at its lower end, so that none looks better than it is.
function grouped(levels, width, round) {
  if (!width) return levels;
  const decimals = decimalsOf(width);
  const sums = new Map();
  for (const [price, size] of levels) {
    const at = (round(Number(price) / width - (round === Math.ceil ? 1e-9 : -1e-9)) * width).toFixed(decimals);
    sums.set(at, (sums.get(at) ?? 0) + Number(size));
  }
  return [...sums].map(([price, size]) => [price, String(size)]);
}

function fill(body, levels, className, largest, most) {
  rows(body, levels.length, [className, "n", "n"]).forEach((tr, i) => {
    const { price, size, sum } = levels[i];
    tr.style.setProperty("--share", share(size, largest));
    tr.style.setProperty("--total", share(sum, most));
    write(tr.cells[0], price);
    write(tr.cells[1], size);
    write(tr.cells[2], sum);
  });
}

function share(part, whole) {
  return `${whole ? Math.round((100 * Number(part)) / whole) : 0}%`;
}

// Of levels whose sizes are written with equally many decimals.
function cumulated(levels) {
  const digits = levels[0]?.[1].split(".")[1]?.length ?? 0;
  let sum = 0;
  return levels.map(([price, size]) => {
    sum += Number(size);
    return { price, size, sum: sum.toFixed(digits) };
  });
}
