// Shortcuts: one letter each, off while something is typed or chosen.
import { byId } from "./format.js";

export function shortcuts(bindings) {
  const list = byId("shortcuts").querySelector("dl");
  for (const [keys, meaning] of bindings) {
    const div = document.createElement("div");
    const dt = document.createElement("dt");
    keys.split(" ").forEach((key) => {
      const kbd = document.createElement("kbd");
      kbd.textContent = key;
      dt.append(kbd);
    });
    const dd = document.createElement("dd");
    dd.textContent = meaning;
    div.append(dt, dd);
    list.append(div);
  }
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("shortcuts").open) return;
    if (event.key === "Escape") event.target.blur?.();
    if (event.target.closest("input, select, textarea")) return;
    const found = bindings.find(([keys, , action]) => action && keys.split(" ").includes(event.key));
    if (!found) return;
    event.preventDefault();
    found[2](event.key);
  });
}
