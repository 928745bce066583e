// What the page shows, kept in the address: feeds of the panels, asset compared, minutes. A link opens the same view.

export const MOST_PANELS = 4;

export function place() {
  const query = new URLSearchParams(location.hash.slice(1));
  const minutes = Number(query.get("minutes"));
  return {
    feeds: query.getAll("feed").filter((text) => /^[^/]+\/.+$/.test(text)).slice(0, MOST_PANELS),
    base: query.get("base") ?? "",
    minutes: [5, 15, 60].includes(minutes) ? minutes : 15,
  };
}

export function go(change) {
  const { feeds, base, minutes } = { ...place(), ...change };
  const parts = feeds.map((feed) => `feed=${encodeURIComponent(feed).replaceAll("%2F", "/")}`);
  if (base) parts.push(`base=${encodeURIComponent(base)}`);
  parts.push(`minutes=${minutes}`);
  location.hash = parts.join("&");
}
