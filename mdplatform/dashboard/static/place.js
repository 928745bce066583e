// What the page shows, kept in the address: feeds of the panels, asset compared, minutes. A link opens the same view.

export const MOST_PANELS = 4;

const MINUTES = ["5", "15", "60"];
const A_FEED = /^[^/]+\/.+$/;

export function place() {
  const query = new URLSearchParams(location.hash.slice(1));
  const minutes = query.get("minutes");
  return {
    feeds: query.getAll("feed").filter((text) => A_FEED.test(text)).slice(0, MOST_PANELS),
    base: query.get("base") ?? "",
    minutes: MINUTES.includes(minutes) ? Number(minutes) : 15,
  };
}

// What the address asks for and the page cannot show, one text each.
export function mistakes() {
  const query = new URLSearchParams(location.hash.slice(1));
  const feeds = query.getAll("feed");
  const said = [...new Set(query.keys())].filter((name) => !["feed", "base", "minutes"].includes(name)).map((name) => `no parameter "${name}": there are feed, base and minutes`);
  said.push(...feeds.filter((text) => !A_FEED.test(text)).map((text) => `feed "${text}" does not read venue/SYMBOL`));
  if (feeds.length > MOST_PANELS) said.push(`${feeds.length} feeds: the first ${MOST_PANELS} are shown`);
  const minutes = query.get("minutes");
  if (minutes !== null && !MINUTES.includes(minutes)) said.push(`no span of ${minutes} minutes: there are ${MINUTES.join(", ")}`);
  if (location.search) said.push(`what follows "?" is not read: write #feed=venue/SYMBOL`);
  return said;
}

export function go(change) {
  const { feeds, base, minutes } = { ...place(), ...change };
  const parts = feeds.map((feed) => `feed=${encodeURIComponent(feed).replaceAll("%2F", "/")}`);
  if (base) parts.push(`base=${encodeURIComponent(base)}`);
  parts.push(`minutes=${minutes}`);
  location.hash = parts.join("&");
}
