// The depth map: sizes in the book over time and price, as a series of the chart. A cell is a step wide and a bucket high.
import { customSeriesDefaultOptions } from "./vendor/lightweight-charts-5.2.1.mjs";
import { colour } from "./theme.js";

const ROWS = 150; // of buckets between the lowest and the highest level, about
const SHADES = 48;
const HEATS = ["heat-0", "heat-1", "heat-2", "heat-3", "heat-4"];

// Books by time, [[ms, bids, asks]] with prices and sizes by turns, as the chart's items: the last book of each step of the
// grid, held for `hold` seconds where no other came.
export function cellsOf(books, grid, step, tick, hold) {
  const byTime = new Map();
  for (const book of books) byTime.set(Math.floor(book[0] / 1000 / step) * step, book);
  const bucket = bucketOf(byTime.values(), tick);
  const sizes = [];
  let held = null;
  const items = grid.map((time) => {
    if (byTime.has(time)) held = { time, book: byTime.get(time) };
    if (!held || time - held.time > hold) return { time };
    const cells = inBuckets(held.book, bucket);
    if (!cells.size) return { time };
    if (held.time === time) sizes.push(...cells.values());
    return { time, cells };
  });
  sizes.sort((a, b) => a - b);
  return { bucket, largest: sizes[Math.floor(sizes.length * 0.98)] || 1, items };
}

const known = new WeakMap(); // book -> its cells, so that what did not change is not drawn as if it had

function inBuckets(book, bucket) {
  const made = known.get(book);
  if (made?.bucket === bucket) return made.cells;
  const cells = new Map();
  for (const levels of book.slice(1)) {
    for (let i = 0; i < levels.length; i += 2) {
      const row = Math.floor(levels[i] / bucket + 1e-9);
      cells.set(row, (cells.get(row) ?? 0) + levels[i + 1]);
    }
  }
  known.set(book, { bucket, cells });
  return cells;
}

// As high as makes so many rows of all levels, in whole ticks.
function bucketOf(books, tick) {
  let [low, high] = [Infinity, -Infinity];
  for (const [, bids, asks] of books) {
    for (let i = 0; i < bids.length; i += 2) [low, high] = [Math.min(low, bids[i]), Math.max(high, bids[i])];
    for (let i = 0; i < asks.length; i += 2) [low, high] = [Math.min(low, asks[i]), Math.max(high, asks[i])];
  }
  const range = high > low ? high - low : Math.abs(high) / 1000 || 1;
  return tick ? Math.max(1, Math.ceil(range / ROWS / tick)) * tick : range / ROWS;
}

export class DepthMap {
  constructor() {
    this.bucket = 1;
    this.largest = 1;
    this.shades = palette();
  }

  // Of the chart's interface for series of one's own.
  renderer() {
    return this;
  }

  update(data) {
    this.data = data;
  }

  priceValueBuilder({ cells }) {
    const rows = [...cells.keys()];
    const [low, high] = [Math.min(...rows) * this.bucket, (Math.max(...rows) + 1) * this.bucket];
    return [low, high, (low + high) / 2];
  }

  isWhitespace(item) {
    return !item.cells?.size;
  }

  defaultOptions() {
    return { ...customSeriesDefaultOptions };
  }

  draw(target, toY) {
    const { bars, barSpacing, visibleRange } = this.data ?? {};
    if (!visibleRange) return;
    target.useBitmapCoordinateSpace(({ context, horizontalPixelRatio: across, verticalPixelRatio: down }) => {
      for (let i = visibleRange.from; i < visibleRange.to; i++) {
        const left = Math.round((bars[i].x - barSpacing / 2) * across);
        const right = Math.round((bars[i].x + barSpacing / 2) * across);
        for (const [row, size] of bars[i].originalData.cells) {
          const top = Math.round(toY((row + 1) * this.bucket) * down);
          const bottom = Math.round(toY(row * this.bucket) * down);
          context.fillStyle = this.shades[Math.min(SHADES - 1, Math.floor(Math.sqrt(size / this.largest) * SHADES))];
          context.fillRect(left, top, right - left, Math.max(1, bottom - top));
        }
      }
    });
  }
}

function palette() {
  const stops = HEATS.map((name) => colour(name).match(/[\d.]+/g).slice(0, 3).map(Number));
  return Array.from({ length: SHADES }, (_, i) => {
    const at = (i / (SHADES - 1)) * (stops.length - 1);
    const [one, other] = [stops[Math.floor(at)], stops[Math.min(stops.length - 1, Math.floor(at) + 1)]];
    return `rgb(${one.map((part, k) => Math.round(part + (other[k] - part) * (at % 1))).join(", ")})`;
  });
}
