// The charts, drawn by uPlot: prices, spread, imbalance and order flow over time; depth over price.
import { significant, signed, utc } from "./format.js";
import { colour } from "./theme.js";

const AXIS = { stroke: () => colour("soft"), grid: { stroke: () => colour("line"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
// As wide as its longest number needs.
const UPRIGHT = {
  values: (_, ticks) => ticks.map((tick) => significant(tick, 8)),
  size: (_, texts) => 14 + 6.5 * Math.max(4, ...(texts ?? []).map((text) => text.length)),
};
const HEIGHTS = { price: 190, spread: 100, imbalance: 100, flow: 100, depth: 180 };

const stepped = () => uPlot.paths.stepped({ align: 1 });

// Without a cursor the legend shows the newest value.
function line(label, name, shown, more = {}) {
  const value = (plot, v, series, index) => shown(index == null ? plot.data[series].at(-1) : v);
  return { label, stroke: () => colour(name), width: 1.25, points: { show: false }, value, paths: stepped(), ...more };
}

function options(kind, node, series, axes, more = {}) {
  return {
    width: node.clientWidth || 300, height: HEIGHTS[kind], series, padding: [6, 14, 0, 0],
    axes: [{ ...AXIS, size: 24, values: (plot, ticks) => ticks.map(plot.scales.x.time ? clockTime : (v) => significant(v, 8)) }, ...axes.map((axis) => ({ ...AXIS, ...UPRIGHT, ...axis }))],
    cursor: { drag: { x: false, y: false }, points: { size: 5 } }, ...more,
  };
}

// `span` gives [from, to] in seconds. What is drawn over time shares the cursor `sync`.
function timed(kind, node, sync, span, series, axes, more = {}) {
  const seconds = { label: "UTC", value: (_, v) => utc((v ?? span()[1]) * 1000) };
  return options(kind, node, [seconds, ...series], axes, {
    ...more,
    scales: { x: { time: true, range: () => span() }, ...more.scales },
    cursor: { drag: { x: false, y: false }, points: { size: 5 }, sync: { key: sync } },
  });
}

// A chart in a figure with a heading, resized with it.
export class Chart {
  constructor(parent, title, make, data) {
    this.figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    caption.textContent = title;
    const node = document.createElement("div");
    this.figure.append(caption, node);
    parent.append(this.figure);
    this.plot = new uPlot(make(node), data, node);
    this.watcher = new ResizeObserver(() => {
      if (node.clientWidth && node.clientWidth !== this.plot.width) this.plot.setSize({ width: node.clientWidth, height: this.plot.height });
    });
    this.watcher.observe(node);
    this.seen = true;
    this.sight = new IntersectionObserver(([entry]) => {
      this.seen = entry.isIntersecting;
      if (this.seen && this.data) this.plot.setData(this.data);
    });
    this.sight.observe(node);
  }

  // What is out of sight is drawn when it comes into sight.
  set(data) {
    this.data = data;
    if (this.seen) this.plot.setData(data);
  }

  redraw() {
    this.plot.redraw(false, true);
  }

  destroy() {
    this.watcher.disconnect();
    this.sight.disconnect();
    this.plot.destroy();
    this.figure.remove();
  }
}

// `marks()`: { breaks: [[from, to, state]], liquidations: [{ second, price, side }] } to draw beneath and above.
export function price(parent, sync, span, marks) {
  return new Chart(parent, "Best bid, ask and mid; shaded: not proven; ▲▼ liquidations", (node) => timed("price", node, sync, span, [
    line("mid", "soft", significant),
    line("bid", "bid", significant),
    line("ask", "ask", significant),
  ], [{}], {
    hooks: { drawAxes: [(plot) => shade(plot, marks().breaks)], draw: [(plot) => liquidations(plot, marks().liquidations)] },
  }), [[], [], [], []]);
}

export function spread(parent, sync, span) {
  return new Chart(parent, "Spread, basis points of the mid", (node) => timed("spread", node, sync, span, [
    line("spread bps", "accent", (v) => significant(v, 4), { fill: () => colour("accent-soft") }),
  ], [{}], { scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high ?? 1) * 1.1 || 1] } } }), [[], []]);
}

export function imbalance(parent, sync, span) {
  return new Chart(parent, "Imbalance of the best sizes: 1 all bid, −1 all ask", (node) => timed("imbalance", node, sync, span, [
    line("imbalance", "accent", signed, { width: 0.75 }),
  ], [{}], { scales: { y: { range: [-1.05, 1.05] } } }), [[], []]);
}

export function flow(parent, sync, span) {
  const bars = uPlot.paths.bars({ size: [0.9, 40] });
  return new Chart(parent, "Order-flow imbalance a step, base units", (node) => timed("flow", node, sync, span, [
    line("order flow", "bar", (v) => significant(v, 4), { width: 0, fill: () => colour("bar"), paths: bars }),
  ], [{}], { scales: { y: { range: (_, low, high) => symmetric(low, high) } } }), [[], []]);
}

export function depth(parent) {
  const side = (label, name, align) => line(label, name, (v) => significant(v, 5), {
    value: (_, v) => significant(v, 5), fill: () => colour(`${name}-soft`), paths: uPlot.paths.stepped({ align }), spanGaps: true,
  });
  return new Chart(parent, "Cumulative depth of the published levels, base units by price", (node) => options("depth", node, [
    { label: "price", value: (_, v) => significant(v, 8) }, side("bids", "bid", -1), side("asks", "ask", 1),
  ], [{}], { scales: { x: { time: false }, y: { range: (_, low, high) => [0, (high ?? 1) * 1.05] } } }), [[], [], []]);
}

export function lines(parent, title, sync, span, names) {
  return new Chart(parent, title, (node) => timed("price", node, sync, span,
    names.map((name, i) => ({ ...line(name, "ink", (v) => signed(v)), stroke: () => colour(`series-${i % 10}`), dash: i >= 10 ? [4, 3] : undefined })),
    [{}]), [[], ...names.map(() => [])]);
}

function clockTime(second) {
  return utc(second * 1000).slice(0, second % 60 ? 8 : 5);
}

function symmetric(low, high) {
  const reach = Math.max(Math.abs(low ?? 0), Math.abs(high ?? 0)) || 1;
  return [-1.05 * reach, 1.05 * reach];
}

function shade(plot, breaks) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = colour("break");
  for (const [from, to] of breaks) {
    const left = Math.max(bbox.left, plot.valToPos(from, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, "x", true));
    if (right > bbox.left && left < bbox.left + bbox.width) ctx.fillRect(left, bbox.top, Math.max(2, right - left), bbox.height);
  }
  ctx.restore();
}

function liquidations(plot, orders) {
  const { ctx, bbox } = plot;
  const size = 5 * devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const { second, price: at, side } of orders) {
    const [x, y, up] = [plot.valToPos(second, "x", true), plot.valToPos(at, "y", true), side === "buy" ? 1 : -1];
    ctx.fillStyle = colour(side === "buy" ? "bid" : "ask");
    ctx.strokeStyle = colour("ink");
    ctx.beginPath();
    ctx.moveTo(x, y - up * size);
    ctx.lineTo(x + size, y + up * size);
    ctx.lineTo(x - size, y + up * size);
    ctx.closePath();
    ctx.fill();
    ctx.stroke();
  }
  ctx.restore();
}
