// The book as a ladder: asks above, bids below, sizes as bars, summed from the touch outward.
import { even, rows, significant, write } from "./format.js";

const LEVELS = 12;

export function showLadder(table, { bids, asks }) {
  const [above, below] = [cumulated(asks.slice(0, LEVELS)), cumulated(bids.slice(0, LEVELS))];
  const largest = Math.max(0, ...[...above, ...below].map((level) => Number(level.size)));
  fill(table.querySelector(".asks"), above.reverse(), "n ask", largest);
  fill(table.querySelector(".bids"), below, "n bid", largest);
  const [touch] = rows(table.querySelector(".touch"), 1, ["n"]);
  touch.cells[0].colSpan = 3;
  const spread = bids.length && asks.length ? Number(asks[0][0]) - Number(bids[0][0]) : null;
  write(touch.cells[0], spread === null ? "one side is empty" : `spread ${significant(spread, 6)}`);
}

// Cumulative sizes of both sides over ascending prices, as the depth chart wants them.
export function depthColumns({ bids, asks }) {
  const below = cumulated(bids).reverse();
  const above = cumulated(asks);
  return [
    [...below, ...above].map((level) => Number(level.price)),
    [...below.map((level) => Number(level.sum)), ...above.map(() => null)],
    [...below.map(() => null), ...above.map((level) => Number(level.sum))],
  ];
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

function cumulated(levels) {
  const [prices, sizes] = [0, 1].map((field) => even(levels.map((level) => level[field])));
  const digits = sizes[0]?.split(".")[1]?.length ?? 0;
  let sum = 0;
  return prices.map((price, i) => {
    sum += Number(sizes[i]);
    return { price, size: sizes[i], sum: sum.toFixed(digits) };
  });
}
