/** The elements of the page. */

/**
 * Those that are more than an HTMLElement.
 * @typedef {{
 *   say: HTMLTextAreaElement, send: HTMLButtonElement, choose: HTMLInputElement, model: HTMLInputElement, find: HTMLInputElement,
 *   grep: HTMLInputElement, slider: HTMLInputElement, speed: HTMLSelectElement, dialog: HTMLDialogElement, "dialog-text": HTMLInputElement,
 * }} Special
 */
/** The element with this id. @template {string} K @param {K} id @returns {K extends keyof Special ? Special[K] : HTMLElement} */
export function $(id) {
  const found = /** @type {unknown} */ (document.getElementById(id));
  if (!found) throw new Error(`The page has no #${id}.`);
  return /** @type {K extends keyof Special ? Special[K] : HTMLElement} */ (found);
}

/** @type {WeakMap<Element, string>} */
const shown = new WeakMap();
/** Set the HTML of an element if it has changed; whether it had. @param {Element} el @param {string} html */
export function put(el, html) {
  if (shown.get(el) === html) return false;
  shown.set(el, html);
  el.innerHTML = html;
  return true;
}
/** Set the text of an element if it has changed. @param {Element} el @param {string} text */
export function write(el, text) {
  if (el.textContent !== text) el.textContent = text;
}
/** The i-th child, made if it is missing. @param {Element} el @param {number} i @returns {Element} */
export const child = (el, i) => el.children[i] || el.appendChild(document.createElement("div"));

/** Where an element stands among its siblings; -1 for none. @param {Element | null | undefined} el */
export const place = (el) => (el?.parentElement ? [...el.parentElement.children].indexOf(el) : -1);

/** @param {string} name */
export const icon = (name) => `<svg aria-hidden="true"><use href="#i-${name}"/></svg>`;
