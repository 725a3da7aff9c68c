/** Text and figures for a person. */

/** @type {Record<string, string>} */
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
/** Text as HTML. @param {unknown} text */
export const esc = (text) => String(text).replace(/[&<>"']/g, (c) => ENTITIES[c] || c);

/** Milliseconds as a person reads them. @param {number} n */
export function ms(n) {
  if (n < 995) return `${Math.max(0, Math.round(n))} ms`;
  if (n < 59_950) return `${(n / 1000).toFixed(1)} s`;
  const seconds = Math.round(n / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** @param {number} n */
export const count = (n) => n.toLocaleString("en");

/** @param {number} n */
export const bytes = (n) => (n < 1000 ? `${n} B` : n < 1e6 ? `${(n / 1000).toFixed(n < 1e4 ? 1 : 0)} kB` : `${(n / 1e6).toFixed(1)} MB`);

/** Dollars. @param {number} n */
export const money = (n) => (n < 0.0001 ? "<$0.0001" : n < 0.1 ? `$${n.toPrecision(2)}` : `$${n.toFixed(2)}`);

/** A state as words. @param {string} state */
export const spaced = (state) => state.replaceAll("_", " ");

/** `a`, `a and b`, `a, b and c`. @param {string[]} names */
export const joined = (names) => (names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`);
