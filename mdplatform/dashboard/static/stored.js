// What a browser remembers of its reader's choices. Storage may be forbidden; then they last as long as the page.

const kept = new Map();

export function stored(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? kept.get(name) ?? otherwise;
  } catch {
    return kept.get(name) ?? otherwise;
  }
}

export function store(name, value) {
  kept.set(name, value);
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // It is kept above.
  }
}
