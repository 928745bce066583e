// The chosen feed: ladder with size bars, mid of the last minutes, last trades.
import { cell, utc } from "./format.js";

const LEVELS = 20;
const BREAK_MS = 5000; // a line across a longer silence would claim prices that nobody saw
const byId = (id) => document.getElementById(id);

export function show(detail, exchange, symbol) {
  byId("detail").hidden = false;
  byId("detail-title").textContent = `${symbol} on ${exchange}`;
  if (!detail) {
    byId("detail-state").textContent = "Nothing has arrived for this feed yet.";
    detail = { bids: [], asks: [], mids: [], trades: [], channels: {} };
  } else {
    const channels = Object.entries(detail.channels);
    byId("detail-state").textContent =
      channels.map(([name, [state, cause]]) => `${name}: ${state}${cause ? ` (${cause})` : ""}`).join(" · ") ||
      "The collector has not said anything of this feed.";
  }
  ladder(detail);
  mids(detail.mids);
  trades(detail.trades);
}

function ladder({ bids, asks }) {
  const sides = [bids, asks].map((levels) => cumulated(levels.slice(0, LEVELS)));
  const largest = Math.max(0, ...sides.flat().map((level) => Number(level.size)));
  const [bidRows, askRows] = sides.map((levels, side) =>
    levels.map(({ price, size, sum }) => {
      const tr = document.createElement("tr");
      tr.style.setProperty("--share", `${largest ? (100 * Number(size)) / largest : 0}%`);
      tr.append(cell(price, side ? "n ask" : "n bid"), cell(size, "n"), cell(sum, "n"));
      return tr;
    }),
  );
  byId("asks").replaceChildren(...askRows.reverse());
  byId("bids").replaceChildren(...bidRows);
  const touch = document.createElement("tr");
  const spread = bids.length && asks.length ? Number(asks[0][0]) - Number(bids[0][0]) : null;
  const middle = cell(spread === null ? "one side is empty" : `spread ${Number(spread.toPrecision(6))}`, "n");
  middle.colSpan = 3;
  touch.append(middle);
  byId("touch").replaceChildren(touch);
}

function cumulated(levels) {
  const digits = Math.max(0, ...levels.map(([, size]) => (size.split(".")[1] ?? "").length));
  let sum = 0;
  return levels.map(([price, size]) => {
    sum += Number(size);
    return { price, size, sum: sum.toFixed(digits) };
  });
}

function mids(points) {
  const svg = byId("mids");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.replaceChildren(path);
  if (points.length < 2) {
    byId("mids-caption").textContent = "The mid's line begins with its second sample.";
    return;
  }
  const values = points.map(([, value]) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [start, end] = [points[0][0], points.at(-1)[0]];
  const x = (ms) => (300 * (ms - start)) / Math.max(1, end - start);
  const y = (value) => (high === low ? 30 : 57 - (54 * (value - low)) / (high - low));
  path.setAttribute(
    "d",
    points
      .map(([ms, value], i) => {
        const jump = i === 0 || ms - points[i - 1][0] > BREAK_MS;
        return `${jump ? "M" : "L"}${x(ms).toFixed(1)} ${y(value).toFixed(1)}`;
      })
      .join(""),
  );
  byId("mids-caption").textContent = `mid ${values.at(-1)}, low ${low}, high ${high}, ${utc(start)} to ${utc(end)} UTC`;
}

function trades(prints) {
  byId("trades").tBodies[0].replaceChildren(
    ...prints.map(({ id, price, qty, side, ts, provenance }) => {
      const tr = document.createElement("tr");
      tr.append(cell(utc(ts), "", `${new Date(ts).toISOString()}, id ${id}, ${provenance}`));
      tr.append(cell(price, side === "buy" ? "n bid" : "n ask"), cell(qty, "n"), cell(side));
      return tr;
    }),
  );
}
