// What the page shows, kept in the address: feeds of the panels, asset compared, minutes, length of bars. A link opens the same.

export const MOST_PANELS = 4;
export const MINUTES = [5, 15, 60, 240, 1440, 10080];
export const BARS = [1, 5, 15, 60, 300, 900, 3600]; // seconds
const MOST_BARS = 1500;
const ENOUGH_BARS = 120; // where none is chosen

const A_FEED = /^[^/]+\/.+$/;
const NAMES = ["feed", "base", "minutes", "bar"];

export function place() {
  const query = new URLSearchParams(location.hash.slice(1));
  const minutes = MINUTES.find((each) => String(each) === query.get("minutes")) ?? 15;
  const bar = BARS.find((each) => String(each) === query.get("bar"));
  return {
    feeds: query.getAll("feed").filter((text) => A_FEED.test(text)).slice(0, MOST_PANELS),
    base: query.get("base") ?? "",
    minutes,
    bar: bar && fits(minutes, bar) ? bar : null,
  };
}

export function fits(minutes, bar) {
  return minutes * 60 <= MOST_BARS * bar && bar * 4 <= minutes * 60;
}

// The length of a bar in seconds where none is chosen.
export function usualBar(minutes) {
  return BARS.find((bar) => minutes * 60 <= ENOUGH_BARS * bar) ?? BARS.at(-1);
}

// What the address asks for and the page cannot show, one text each.
export function mistakes() {
  const query = new URLSearchParams(location.hash.slice(1));
  const feeds = query.getAll("feed");
  const said = [...new Set(query.keys())].filter((name) => !NAMES.includes(name)).map((name) => `no parameter "${name}": there are feed, base, minutes and bar`);
  said.push(...feeds.filter((text) => !A_FEED.test(text)).map((text) => `feed "${text}" does not read venue/SYMBOL`));
  if (feeds.length > MOST_PANELS) said.push(`${feeds.length} feeds: the first ${MOST_PANELS} are shown`);
  const [minutes, bar] = [query.get("minutes"), query.get("bar")];
  if (minutes !== null && !MINUTES.some((each) => String(each) === minutes)) said.push(`no span of ${minutes} minutes: there are ${MINUTES.join(", ")}`);
  if (bar !== null && !BARS.some((each) => String(each) === bar)) said.push(`no bars of ${bar} seconds: there are ${BARS.join(", ")}`);
  else if (bar !== null && !fits(place().minutes, Number(bar))) said.push(`bars of ${bar} seconds do not suit ${place().minutes} minutes`);
  if (location.search) said.push(`what follows "?" is not read: write #feed=venue/SYMBOL`);
  return said;
}

export function go(change) {
  const { feeds, base, minutes, bar } = { ...place(), ...change };
  const parts = feeds.map((feed) => `feed=${encodeURIComponent(feed).replaceAll("%2F", "/")}`);
  if (base) parts.push(`base=${encodeURIComponent(base)}`);
  parts.push(`minutes=${minutes}`);
  if (bar && fits(minutes, bar)) parts.push(`bar=${bar}`);
  location.hash = parts.join("&");
}
