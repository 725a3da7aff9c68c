/** Values as a person reads them, and text as HTML. */

/** Text as HTML. @param {unknown} text */
export const esc = (text) =>
  String(text).replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c] || c);

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

/** Bytes as a person reads them. @param {number} n */
export const bytes = (n) => (n < 1000 ? `${n} B` : n < 1e6 ? `${(n / 1000).toFixed(n < 1e4 ? 1 : 0)} kB` : `${(n / 1e6).toFixed(1)} MB`);

/** Dollars as a person reads them. @param {number} n */
export const money = (n) => (n < 0.0001 ? "<$0.0001" : n < 0.1 ? `$${n.toPrecision(2)}` : `$${n.toFixed(2)}`);

/** @param {string} name */
export const icon = (name) => `<svg aria-hidden="true"><use href="#i-${name}"/></svg>`;

/** The time of day, in hours and minutes. @param {number} t */
export const clock = (t) => new Date(t).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
