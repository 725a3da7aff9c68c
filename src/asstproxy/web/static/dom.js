/** Elements of the page, with their types, and HTML that is written only when it has changed. */

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
  if (el.textContent !== text) el.textContent = text;
}
/** The child at this place, made if there is none. @param {Element} el @param {number} i */
export const child = (el, i) => el.children[i] || el.appendChild(document.createElement("div"));

/** What a click does: the selector of what was clicked on, and the work. @typedef {[string, (el: HTMLElement, event: MouseEvent) => unknown]} Click */
