// The book as a ladder: asks above, bids below, sizes as bars, summed from the touch outward.
import { even, evenSizes, fit, rows, significant, write } from "./format.js";

const LEVELS = 12;

export function showLadder(table, { bids, asks }, step) {
  const shown = [asks.slice(0, LEVELS), bids.slice(0, LEVELS)];
  const prices = even(shown.flat().map(([price]) => price));
  const sizes = evenSizes(shown.flat().map(([, size]) => size), step);
  const texts = prices.map((price, i) => [price, sizes[i]]);
  const [above, below] = [cumulated(texts.slice(0, shown[0].length)), cumulated(texts.slice(shown[0].length))];
  const levels = [...above, ...below];
  const largest = Math.max(0, ...levels.map((level) => Number(level.size)));
  fill(table.querySelector(".asks"), above.reverse(), "n ask", largest);
  fill(table.querySelector(".bids"), below, "n bid", largest);
  fit(table, ["price", "size", "sum"].map((name) => [name, ...levels.map((level) => level[name])]));
  const [touch] = rows(table.querySelector(".touch"), 1, ["n"]);
  touch.cells[0].colSpan = 3;
  const spread = bids.length && asks.length ? Number(asks[0][0]) - Number(bids[0][0]) : null;
  write(touch.cells[0], spread === null ? "one side is empty" : `spread ${significant(spread, 6)}`);
}

// Cumulative sizes of both sides over ascending prices, as the depth chart wants them.
export function depthColumns({ bids, asks }) {
  const [below, above] = [summed(bids).reverse(), summed(asks)];
  return [
    [...below, ...above].map(([price]) => price),
    [...below.map(([, sum]) => sum), ...above.map(() => null)],
    [...below.map(() => null), ...above.map(([, sum]) => sum)],
  ];
}

function summed(levels) {
  let sum = 0;
  return levels.map(([price, size]) => [Number(price), (sum += Number(size))]);
}

function fill(body, levels, className, largest) {
  rows(body, levels.length, [className, "n", "n"]).forEach((tr, i) => {
    const { price, size, sum } = levels[i];
    tr.style.setProperty("--share", `${largest ? Math.round((100 * Number(size)) / largest) : 0}%`);
    write(tr.cells[0], price);
    write(tr.cells[1], size);
    write(tr.cells[2], sum);
  });
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
