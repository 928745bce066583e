// What is drawn over time, by TradingView's Lightweight Charts: one chart a panel, with panes that share its time and cursor.
// Mouse wheel and pinch zoom, dragging moves, a double click resets; the arrow keys, + and - and 0 do the same.
import {
  BaselineSeries, CandlestickSeries, HistogramSeries, LineSeries, LineType, createChart, createSeriesMarkers, createTextWatermark,
} from "./vendor/lightweight-charts-5.2.1.mjs";
import { DepthMap, cellsOf } from "./depthmap.js";
import { decimalsOf, even, significant, signed } from "./format.js";
import { colour } from "./theme.js";

const ROOM = 3; // bars free at the right
const UPDATED = 4; // so many changed points at the end are replaced one by one; more are set as a whole
const MAIN_SHARE = 4; // how much higher the main pane is than another
const SCALE_DECIMALS = 9;
const STEPS = { ArrowLeft: -0.1, ArrowRight: 0.1 };
const ZOOMS = { "+": 0.8, "=": 0.8, "-": 1.25 };

export const VIEWS = { candles: "Candles", prices: "Best prices", depth: "Depth map" };
export const BELOW = { spread: "Spread, bps", imbalance: "Imbalance", flow: "Order flow", open_interest: "Open interest", funding: "Funding, bps" };

const line = (name, more = {}) => ({ color: colour(name), lineWidth: 1, lineType: LineType.WithSteps, priceLineVisible: false, crosshairMarkerRadius: 2, ...more });

// A scale's numbers are sums of its steps: rounded to what can be distinguished, so that its zero is none of 1e-17.
export const scaleNumbers = (format) => {
  const formatter = (value) => format(value == null ? value : Number(value.toFixed(SCALE_DECIMALS)) + 0);
  return { formatter, tickmarksFormatter: (values) => even(values.map(formatter)) };
};
const pane = (format) => ({ priceFormat: { type: "custom", minMove: 10 ** -SCALE_DECIMALS, ...scaleNumbers(format) }, priceLineVisible: false, lastValueVisible: false });

function chartOf(node, more = {}) {
  return createChart(node, {
    autoSize: true,
    layout: {
      background: { color: "transparent" }, textColor: colour("soft"), fontSize: 10, fontFamily: "system-ui, sans-serif",
      attributionLogo: false, // its style would be refused by the page's policy; the link stands at the page's foot
      panes: { separatorColor: colour("line"), separatorHoverColor: colour("line") },
    },
    grid: { vertLines: { color: colour("grid") }, horzLines: { color: colour("grid") } },
    crosshair: { mode: 0, vertLine: { labelBackgroundColor: colour("cross") }, horzLine: { labelBackgroundColor: colour("cross") } },
    timeScale: { timeVisible: true, secondsVisible: true, borderColor: colour("line"), minBarSpacing: 0.2, rightOffset: ROOM },
    rightPriceScale: { borderColor: colour("line") },
    handleScroll: { vertTouchDrag: false }, // a finger that moves up and down moves the page
    localization: { locale: "en", timeFormatter: clockTime },
    ...more,
  });
}

function clockTime(second) {
  return new Date(second * 1000).toISOString().slice(0, 19).replace("T", " ");
}

// Zoom and pan for one chart: what a mouse and a finger do the library knows itself.
class View {
  constructor(node, chart, length) {
    [this.chart, this.length] = [chart, length];
    chart.subscribeDblClick(() => this.reset());
    node.onkeydown = (event) => this.#key(event);
  }

  reset() {
    this.chart.timeScale().setVisibleLogicalRange({ from: 0, to: this.length() - 1 + ROOM });
    for (const { priceScale } of this.chart.panes().map((each) => ({ priceScale: each.priceScale("right") }))) priceScale.applyOptions({ autoScale: true });
  }

  #key(event) {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (!range || event.ctrlKey || event.metaKey || event.altKey) return;
    const width = range.to - range.from;
    if (event.key in STEPS) this.#show(range.from + STEPS[event.key] * width, range.to + STEPS[event.key] * width);
    else if (event.key in ZOOMS) this.#show(range.to - width * ZOOMS[event.key], range.to);
    else if (event.key === "0") this.reset();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #show(from, to) {
    this.chart.timeScale().setVisibleLogicalRange({ from, to });
  }
}

// A series that is given all of its points again and again, and passes on what has changed.
class Given {
  constructor(series) {
    [this.series, this.points] = [series, []];
  }

  set(points) {
    const old = this.points;
    let same = 0;
    while (same < old.length && same < points.length && alike(old[same], points[same])) same += 1;
    this.points = points;
    // Only where all that changed stands where it stood, or after it: the library takes no new point between old ones.
    const inPlace = points.length >= old.length && old.slice(same).every((point, i) => point.time === points[same + i].time);
    if (!old.length || !inPlace || points.length - same > UPDATED) this.series.setData(points);
    else for (let i = same; i < points.length; i++) this.series.update(points[i], i < old.length - 1);
  }
}

function alike(one, other) {
  return Object.keys(other).every((name) => one[name] === other[name]) && Object.keys(one).length === Object.keys(other).length;
}

// The chart of one feed. `marks()`: { breaks: [[from, to, state]], liquidations: [{ second, price, side }] };
// `said(texts)` takes the legend, [[name, value]].
export class FeedChart {
  constructor(node, marks, said) {
    [this.node, this.marks, this.said] = [node, marks, said];
    this.options = { view: "candles", below: [], tick: null };
    this.seen = true;
    this.sight = new IntersectionObserver(([entry]) => (this.seen = entry.isIntersecting));
    this.sight.observe(node);
  }

  // Makes the chart again: for another view, other panes, another theme or feed.
  make(options = {}) {
    const range = options.keep && this.chart?.timeScale().getVisibleLogicalRange();
    Object.assign(this.options, options);
    this.chart?.remove();
    this.chart = chartOf(this.node);
    this.given = {};
    const { view, below } = this.options;
    this.map = new DepthMap();
    if (view === "candles") this.#candles();
    if (view === "depth") this.#add("map", this.chart.addCustomSeries(this.map, { lastValueVisible: false, priceLineVisible: false }));
    if (view !== "candles") this.#prices(view);
    below.forEach((name, i) => this.#below(name, i + 1));
    this.chart.panes().forEach((each, i) => {
      each.setStretchFactor(i ? 1 : MAIN_SHARE);
      createTextWatermark(each, { horzAlign: "left", vertAlign: "top", lines: [{ text: i ? BELOW[below[i - 1]] : VIEWS[view], color: colour("soft"), fontSize: 10 }] });
    });
    this.chart.panes()[0].attachPrimitive(this.#shade());
    this.marked = this.given[view === "depth" ? "bid" : this.main];
    this.markers = createSeriesMarkers(this.marked.series, [], { autoScale: false });
    this.chart.subscribeCrosshairMove(({ time }) => this.#describe((this.at = time)));
    this.view = new View(this.node, this.chart, () => this.grid?.length ?? 1);
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((shown) => this.#span(shown));
    if (this.data) this.show(this.data);
    if (range) this.chart.timeScale().setVisibleLogicalRange(range);
    else if (this.data) this.view.reset();
  }

  // `data`: { from, to, step, candles, quotes, books: { rows, hold }, open_interest, funding }, rows ascending in time.
  show(data) {
    const fresh = this.data?.from !== data.from || this.data?.step !== data.step;
    this.data = data;
    if (!this.chart || (!this.seen && !fresh)) return;
    const { from, to, step, candles, quotes } = data;
    this.grid = Array.from({ length: Math.max(1, Math.floor((to - from) / step) + 1) }, (_, i) => from + i * step);
    const whole = (points) => {
      const at = new Map(points.map((point) => [point.time, point]));
      return this.grid.map((time) => at.get(time) ?? { time });
    };
    if (fresh) for (const each of Object.values(this.given)) each.points = [];
    this.#precise(candles, quotes);
    const points = {
      candles: () => whole(candles.map(([time, open, high, low, close]) => ({ time, open, high, low, close }))),
      volume: () => candles.map(([time, open, , , close, value]) => ({ time, value, color: colour(close >= open ? "bid-faint" : "ask-faint") })),
      mid: () => whole(quotes.filter(([, bid, ask]) => bid != null && ask != null).map(([time, bid, ask]) => ({ time, value: (bid + ask) / 2 }))),
      bid: () => column(quotes, 1),
      ask: () => column(quotes, 2),
      map: () => this.#cells(data),
      spread: () => quotes.filter(([, bid, ask]) => bid && ask).map(([time, bid, ask]) => ({ time, value: ((ask - bid) / ((ask + bid) / 2)) * 10000 })),
      imbalance: () => column(quotes, 3),
      flow: () => column(quotes, 4).map((point) => ({ ...point, color: colour(point.value < 0 ? "ask" : "bid") })),
      open_interest: () => column(data.open_interest, 1),
      funding: () => column(data.funding, 1).map(({ time, value }) => ({ time, value: value * 10000 })),
    };
    for (const [name, each] of Object.entries(this.given)) each.set(points[name]());
    this.markers.setMarkers(this.#liquidations());
    if (fresh) {
      this.view.reset();
      requestAnimationFrame(() => this.chart && this.view.reset()); // now the axis is as wide as its numbers
    }
    this.#span(this.chart.timeScale().getVisibleLogicalRange());
    this.#describe(this.at);
  }

  // For who cannot see it: from when to when it shows.
  #span(shown) {
    if (!shown || !this.data) return;
    const { from, step } = this.data;
    const [begin, end] = [shown.from, shown.to].map((place) => clockTime(from + Math.round(place) * step));
    this.node.setAttribute("aria-description", `shows ${begin} to ${end} UTC`);
  }

  destroy() {
    this.sight.disconnect();
    this.chart?.remove();
    this.chart = null;
  }

  #add(name, series) {
    this.main ??= name;
    this.given[name] = new Given(series);
  }

  #candles() {
    this.main = "candles";
    const [up, down] = [colour("bid"), colour("ask")];
    this.#add("candles", this.chart.addSeries(CandlestickSeries, { upColor: up, downColor: down, wickUpColor: up, wickDownColor: down, borderVisible: false }));
    const volume = this.chart.addSeries(HistogramSeries, { priceScaleId: "volume", priceLineVisible: false, lastValueVisible: false, priceFormat: { type: "volume" } });
    volume.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    this.given.candles.series.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: 0.2 } });
    this.#add("volume", volume);
  }

  #prices(view) {
    if (view === "prices") this.#add((this.main = "mid"), this.chart.addSeries(LineSeries, line("soft", { lastValueVisible: false })));
    else this.main = "map";
    this.#add("bid", this.chart.addSeries(LineSeries, line(view === "depth" ? "on-heat" : "bid")));
    this.#add("ask", this.chart.addSeries(LineSeries, line(view === "depth" ? "on-heat" : "ask")));
  }

  #below(name, index) {
    const [bid, ask] = [colour("bid"), colour("ask")];
    const made = {
      spread: () => this.chart.addSeries(LineSeries, { ...line("accent"), ...pane((v) => significant(v, 3)) }, index),
      imbalance: () => this.chart.addSeries(BaselineSeries, {
        ...pane((v) => signed(v)), baseValue: { type: "price", price: 0 }, lineWidth: 1, topLineColor: bid, bottomLineColor: ask,
        topFillColor1: colour("bid-soft"), topFillColor2: "transparent", bottomFillColor1: "transparent", bottomFillColor2: colour("ask-soft"),
      }, index),
      flow: () => this.chart.addSeries(HistogramSeries, pane((v) => significant(v, 4)), index),
      open_interest: () => this.chart.addSeries(LineSeries, { ...line("bar"), ...pane((v) => significant(v, 7)) }, index),
      funding: () => this.chart.addSeries(LineSeries, { ...line("bar"), ...pane((v) => signed(v, 3)) }, index),
    };
    this.#add(name, made[name]());
  }

  // As many decimals as the instrument's tick has, or the prices themselves.
  #precise(candles, quotes) {
    const known = candles.at(-1)?.[4] ?? quotes.at(-1)?.[1];
    const decimals = this.options.tick ? decimalsOf(this.options.tick) : known == null ? 2 : Math.min(10, Math.max(decimalsOf(known), 2));
    if (decimals === this.decimals && this.precise === this.chart) return;
    [this.decimals, this.precise] = [decimals, this.chart];
    const priceFormat = { type: "price", precision: decimals, minMove: 10 ** -decimals };
    for (const name of ["candles", "mid", "bid", "ask", "map"]) this.given[name]?.series.applyOptions({ priceFormat });
  }

  #cells({ books, step }) {
    const { bucket, largest, items } = cellsOf(books.rows, this.grid, step, this.options.tick, books.hold);
    if (bucket !== this.map.bucket) this.given.map.points = [];
    Object.assign(this.map, { bucket, largest });
    return items;
  }

  // Where there is a bar or a price to hang them on: the library knows no other place.
  #liquidations() {
    const { step } = this.data;
    const places = new Set(this.marked.points.filter((point) => "open" in point || "value" in point).map(({ time }) => time));
    return this.marks().liquidations.filter(({ second }) => places.has(Math.floor(second / step) * step))
      .map(({ second, price, side }) => ({
        time: Math.floor(second / step) * step, position: side === "buy" ? "atPriceBottom" : "atPriceTop", price, size: 0.6,
        shape: side === "buy" ? "arrowUp" : "arrowDown", color: colour(side === "buy" ? "bid" : "ask"),
      })).sort((a, b) => a.time - b.time);
  }

  // What was not proven is shaded beneath the prices.
  #shade() {
    const renderer = { draw: (target) => target.useBitmapCoordinateSpace(({ context, bitmapSize, horizontalPixelRatio: across }) => {
      if (!this.grid) return;
      const { from, step } = this.data;
      const x = (second) => (this.chart.timeScale().logicalToCoordinate((second - from) / step - 0.5) ?? -1) * across;
      context.fillStyle = colour("break");
      for (const [begin, end] of this.marks().breaks) {
        const [left, right] = [Math.max(0, x(Math.max(begin, from))), x(end)];
        if (right > 0 && left < bitmapSize.width) context.fillRect(left, 0, Math.max(2, right - left), bitmapSize.height);
      }
    }) };
    const view = { zOrder: () => "bottom", renderer: () => renderer };
    return { paneViews: () => [view] };
  }

  // The legend: what there is at the cursor, else the newest of each.
  #describe(time) {
    if (!this.data) return;
    const at = (rows) => (time == null ? rows.at(-1) : rows.find(([each]) => each === time));
    const price = (number) => (number == null ? "–" : number.toFixed(this.decimals));
    const { candles, quotes } = this.data;
    const [candle, quote] = [at(candles), at(quotes)];
    const texts = candle
      ? [["O", price(candle[1])], ["H", price(candle[2])], ["L", price(candle[3])], ["C", price(candle[4])], ["V", significant(candle[5], 5)], ["buy", `${candle[5] ? Math.round((candle[6] / candle[5]) * 100) : 0} %`]]
      : [["no trade", ""]];
    if (this.options.view !== "candles" && quote) texts.unshift(["bid", price(quote[1])], ["ask", price(quote[2])]);
    const value = {
      spread: () => quote?.[1] && quote[2] && significant(((quote[2] - quote[1]) / ((quote[2] + quote[1]) / 2)) * 10000, 3),
      imbalance: () => quote?.[3] != null && signed(quote[3]),
      flow: () => quote && significant(quote[4], 4),
      open_interest: () => significant(at(this.data.open_interest)?.[1], 7),
      funding: () => at(this.data.funding) && signed(at(this.data.funding)[1] * 10000, 3),
    };
    for (const name of this.options.below) texts.push([BELOW[name].toLowerCase(), value[name]() || "–"]);
    this.said(texts, time);
  }
}

function column(rows, index) {
  return rows.filter((row) => row[index] != null).map((row) => ({ time: row[0], value: row[index] }));
}

// Several lines over the same time; `names` in the order of the columns.
export class LinesChart {
  constructor(parent, title, names) {
    this.figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    caption.textContent = title;
    const legend = document.createElement("p");
    legend.className = "legend";
    this.node = document.createElement("div");
    this.node.className = "chart lines";
    this.node.tabIndex = 0;
    this.node.setAttribute("role", "application");
    this.node.setAttribute("aria-label", `${title}; arrow keys move, plus and minus zoom, 0 resets`);
    this.legend = names.map((name, i) => {
      const item = document.createElement("span");
      item.className = `series-${i % 10}`;
      item.append(name, " ", document.createElement("b"));
      legend.append(item);
      return item.lastChild;
    });
    this.figure.append(caption, legend, this.node);
    parent.append(this.figure);
    this.names = names;
    this.seen = true;
    this.sight = new IntersectionObserver(([entry]) => (this.seen = entry.isIntersecting));
    this.sight.observe(this.node);
    this.redraw();
  }

  redraw() {
    this.chart?.remove();
    this.chart = chartOf(this.node);
    this.given = this.names.map((_, i) => new Given(this.chart.addSeries(LineSeries, { ...line("ink", { color: colour(`series-${i % 10}`), lineStyle: i >= 10 ? 2 : 0 }), ...pane((v) => signed(v)) })));
    this.view = new View(this.node, this.chart, () => this.length);
    this.chart.subscribeCrosshairMove(({ time }) => this.#describe((this.at = time)));
    if (this.columns) this.set(this.columns);
  }

  set(columns) {
    const fresh = !this.columns || this.columns[0][0] > columns[0][0] || this.given[0]?.points.length === 0;
    this.columns = columns;
    const [at, ...lines] = columns;
    this.length = at.length;
    if (!this.seen && !fresh) return;
    this.given.forEach((each, k) => each.set(at.map((time, i) => (lines[k][i] == null ? { time } : { time, value: lines[k][i] }))));
    if (fresh) this.view.reset();
    this.#describe(this.at);
  }

  destroy() {
    this.sight.disconnect();
    this.chart.remove();
    this.figure.remove();
  }

  #describe(time) {
    if (!this.columns) return;
    const [at, ...lines] = this.columns;
    const i = time == null ? at.length - 1 : at.indexOf(time);
    this.legend.forEach((node, k) => (node.textContent = signed(lines[k][i] ?? null)));
  }
}
