// Cumulative depth of the published levels over price, on a canvas of its own: its axis is the price, not time.
import { evenSizes, even } from "./format.js";
import { colour } from "./theme.js";

export function drawDepth(canvas, { bids, asks }) {
  const [width, height, ratio] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio];
  if (!width || !height) return;
  [canvas.width, canvas.height] = [width * ratio, height * ratio];
  const sides = [summed(bids), summed(asks)];
  const levels = sides.flat();
  canvas.setAttribute("aria-label", described(sides));
  if (levels.length < 2) return;
  const prices = levels.map(([price]) => price);
  const [low, high, most] = [Math.min(...prices), Math.max(...prices), Math.max(...levels.map(([, sum]) => sum))];
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const foot = height - 16;
  const x = (price) => ((price - low) / (high - low || 1)) * width;
  const y = (sum) => foot - (sum / (most || 1)) * (foot - 4);
  sides.forEach((side, k) => {
    if (!side.length) return;
    const name = k ? "ask" : "bid";
    context.beginPath();
    context.moveTo(x(side[0][0]), foot);
    side.forEach(([price, sum], i) => {
      context.lineTo(x(price), y(i ? side[i - 1][1] : 0)); // a step at each level, outward from the touch
      context.lineTo(x(price), y(sum));
    });
    context.strokeStyle = colour(name);
    context.stroke();
    context.lineTo(x(side.at(-1)[0]), foot);
    context.fillStyle = colour(`${name}-soft`);
    context.fill();
  });
  const [least, touch, largest] = even([String(low), String((sides[0][0]?.[0] + sides[1][0]?.[0]) / 2 || low), String(high)], 6);
  context.fillStyle = colour("soft");
  context.font = "10px system-ui, sans-serif";
  const at = (text, align, place) => {
    context.textAlign = align;
    context.fillText(text, place, height - 4);
  };
  at(least, "left", 0);
  if (sides[0].length && sides[1].length) at(touch, "center", x(Number(touch)));
  at(largest, "right", width);
}

function summed(levels) {
  let sum = 0;
  return levels.map(([price, size]) => [Number(price), (sum += Number(size))]);
}

function described(sides) {
  const [below, above] = evenSizes(sides.map((side) => String(side.at(-1)?.[1] ?? 0)));
  return `Cumulative depth of the published levels by price: ${below} bid, ${above} asked`;
}
