/** Painting an answer while it streams: blocks that are finished are appended and never touched again. */
import { child, put } from "./dom.js";
import { esc, icon } from "./words.js";

const FENCE = /^\s*(?:```+|~~~+)([\w+#.-]*)[^\n]*\n?/;
/**
 * The open tail is hidden from screen readers until it is finished.
 * @param {Element} el @param {import("./fold.js").TextPart} p @param {{shown: string[], end: number}} blocks
 */
export function paintAnswer(el, p, { shown, end }) {
  const tail = p.text.slice(end);
  shown.forEach((html, i) => {
    const d = child(el, i);
    if (d.className) {
      d.className = "";
      d.removeAttribute("aria-hidden");
    }
    if (put(d, html)) {
      for (const pre of d.querySelectorAll("pre")) frame(pre);
      for (const link of d.querySelectorAll("a[href]")) link.setAttribute("target", "_blank"); // the page stays
    }
  });
  let n = shown.length;
  if (tail.trim()) {
    const d = child(el, n);
    n += 1;
    if (d.className !== "tail") {
      d.className = "tail";
      d.setAttribute("aria-hidden", "true");
    }
    const fence = tail.match(FENCE);
    put(d, fence ? `<div class="code"><header>${esc(fence[1])}</header><pre><code>${esc(tail.slice(fence[0].length))}</code></pre></div>` : `<p class="open">${esc(tail)}</p>`);
  }
  while (el.children.length > n) el.lastElementChild?.remove();
}
/** Give a block of code its language and its button. @param {Element} pre */
function frame(pre) {
  const box = document.createElement("div");
  box.className = "code";
  const language = pre.getAttribute("data-language") || "";
  box.innerHTML = `<header>${esc(language)}<button class="icon" data-copy aria-label="Copy the code">${icon("copy")}</button></header>`;
  pre.setAttribute("tabindex", "0");
  pre.replaceWith(box);
  box.append(pre);
}
