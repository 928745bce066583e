// Light, dark, or as the system says; the charts' canvas needs each colour as the page resolves it.

const THEMES = ["auto", "light", "dark"];
const probe = document.createElement("i");
const known = new Map();
const listeners = [];

export function colour(name) {
  if (!known.has(name)) {
    probe.style.color = `var(--${name})`;
    known.set(name, getComputedStyle(probe).color);
  }
  return known.get(name);
}

export function onTheme(listener) {
  listeners.push(listener);
}

export function nextTheme(button) {
  apply(THEMES[(THEMES.indexOf(held()) + 1) % THEMES.length], button);
}

export function startTheme(button) {
  probe.hidden = true;
  document.body.append(probe);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  apply(held(), button);
}

function apply(theme, button) {
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // Storage may be forbidden; then the choice lasts as long as the page.
  }
  document.documentElement.dataset.theme = theme;
  button.querySelector("span").textContent = `Theme: ${theme}`;
  changed();
}

function held() {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem("theme")) ?? "auto";
  } catch {
    return document.documentElement.dataset.theme ?? "auto";
  }
}

function changed() {
  known.clear();
  listeners.forEach((listener) => listener());
}
