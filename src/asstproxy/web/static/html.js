/** Elements of the page with their types, HTML that is written only when it has changed, and values as a person reads them. */

/** Text without what isn't text: control characters, and those that turn the direction of what is around them. @param {unknown} text */
export const plain = (text) => String(text).replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, "");

/** A tool call or a record, of which nothing may be hidden: characters that nobody would see are escaped. @param {string} text */
export const visible = (text) =>
  text.replace(/[\p{Default_Ignorable_Code_Point}\p{C}\p{Z}\u2800]/gu, (c) =>
    " \n\r\t".includes(c)
      ? c
      : c
          .split("")
          .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
          .join(""),
  );

/** Text as HTML. @param {unknown} text */
export const esc = (text) =>
  plain(text).replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c] || c);

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

/** The element with this id, which `index.html` has. @param {string} id @returns {HTMLElement} */
export function $(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}.`);
  return found;
}
/**
 * The same, as an element of this kind.
 * @template {Element} T @param {string} id @param {new () => T} kind @returns {T}
 */
export function as(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`#${id} isn't a ${kind.name}.`);
  return found;
}
/** The box in which the message is written. */
export const box = () => as("say", HTMLTextAreaElement);
/** The text of a field. @param {string} id */
export const valueOf = (id) => as(id, HTMLInputElement).value;

/** The nearest element around that fits, the element itself included. @param {EventTarget | null} target @param {string} selector @returns {HTMLElement | null} */
export const closest = (target, selector) => (target instanceof Element ? target.closest(selector) : null);
/** All elements that fit. @param {string} selector @param {ParentNode} [within] @returns {HTMLElement[]} */
export const all = (selector, within = document) => [...within.querySelectorAll(selector)].map((el) => /** @type {HTMLElement} */ (el));

/** @type {WeakMap<Element, string>} */
const seen = new WeakMap();
/** Set the HTML of an element if it has changed; says whether it had. @param {Element} el @param {string} html */
export function put(el, html) {
  if (seen.get(el) === html) return false;
  seen.set(el, html);
  el.innerHTML = html;
  return true;
}
/** Set the text of an element if it has changed. @param {Element} el @param {string} text */
export function write(el, text) {
  const shown = plain(text);
  if (el.textContent !== shown) el.textContent = shown;
}
/** The child at this place, made if there is none. @param {Element} el @param {number} i */
export const child = (el, i) => el.children[i] || el.appendChild(document.createElement("div"));

/** What a click does: the selector of what was clicked on, and the work. @typedef {[string, (el: HTMLElement, event: MouseEvent) => unknown]} Click */
