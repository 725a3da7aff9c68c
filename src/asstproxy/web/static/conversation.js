/** Painting the conversation: exchanges → DOM. Each part is an element, painted only when its HTML has changed. */
import { bars } from "./draw.js";
import { bytes, child, clock, closest, count, esc, icon, money, ms, plain, put, visible } from "./html.js";

/** @typedef {import("./fold.js").Exchange} Exchange @typedef {import("./fold.js").CallPart} CallPart */

/** Who speaks. @param {string} name @param {string} [rest] HTML */
export const speaker = (name, rest = "") => `<div class="who"><b>${esc(name)}</b>${rest}</div>`;

/** @type {Record<string, string>} */
const BY = { person: "you said yes", always: "always in this session", option: "allowed at the start", nobody: "nobody could be asked" };

/** JSON as a person reads it; other text as it is. @param {string} text */
function json(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
/** Arguments as rows. @param {string} text */
function rows(text) {
  try {
    const found = JSON.parse(text);
    if (found && typeof found === "object" && !Array.isArray(found))
      return Object.entries(found)
        .map(([k, v]) => `<dt>${esc(visible(k))}</dt><dd class="mono">${esc(visible(typeof v === "string" ? v : JSON.stringify(v)))}</dd>`)
        .join("");
  } catch {
    /* shown as it is */
  }
  return `<dt>arguments</dt><dd class="mono">${esc(visible(text))}</dd>`;
}

/** The card that asks whether a call may run. @param {CallPart} p @param {Exchange} x @param {View} view */
export function approvalHTML(p, x, view) {
  const asked = view.asked.find((a) => a.call_id === p.call_id);
  const chosen = asked && view.chosen[asked.id];
  const source = asked?.source ? `From ${esc(asked.source)}: it runs as you, with your files and your network.` : "It runs as you, with your files and your network.";
  const head =
    `<div class="head"><code class="name">${esc(visible(p.name))}</code></div>` +
    `<p class="why">${esc(x.profile)} wants to run it. ${view.mode === "replay" || !asked ? "" : "Nothing runs until you click."}${asked?.about ? ` Its description: ${esc(asked.about)}` : ""}</p>`;
  if (view.mode === "replay" || !asked) {
    const holder = view.session.status.holder;
    const where = view.mode === "replay" ? "In the recording, a person was asked here." : holder ? `Answer it in ${holder}.` : "";
    return `${speaker("System", "asks you")}<section class="card approval">${head}<dl class="io">${rows(p.arguments)}</dl>${where ? `<p class="why rest">${esc(where)}</p>` : ""}</section>`;
  }
  const body =
    view.editing === asked.id
      ? `<label class="edit">Arguments (JSON)<textarea data-arguments rows="6" spellcheck="false">${esc(chosen?.arguments ?? asked.arguments)}</textarea></label><p class="why bad" data-problem hidden></p>`
      : `<pre class="io mono" tabindex="0">${esc(chosen?.arguments ?? asked.arguments)}</pre>`;
  const id = esc(asked.id);
  const buttons = chosen
    ? `<span class="why">${chosen.answer === "no" ? "Refused." : "Allowed."} Waiting for your other answers.</span><button class="btn quiet" data-undecide="${id}">Change</button>`
    : view.editing === asked.id
      ? `<button class="btn go" data-decide="yes" data-id="${id}">Run with these</button><button class="btn quiet" data-edit="">Back</button>`
      : `<button class="btn go" data-decide="yes" data-id="${id}">Allow once</button>` +
        (asked.may_always ? `<button class="btn" data-decide="always" data-id="${id}">Allow in this session</button>` : "") +
        `<button class="btn quiet" data-edit="${id}">Edit arguments</button><button class="btn quiet" data-decide="no" data-id="${id}">Refuse</button>`;
  return `${speaker("System", "asks you")}<section class="card approval" aria-label="May ${esc(p.name)} run?">${head}${body}<p class="why">${source}</p><div class="acts">${buttons}</div></section>`;
}

/** The card of a call. @param {CallPart} p */
export function callHTML(p) {
  const state = { done: ms((p.seconds || 0) * 1000), failed: `failed · ${ms((p.seconds || 0) * 1000)}`, running: "running", asked: "asked", waiting: "waits for you", refused: "refused", stopped: "not run" }[p.status];
  const by = p.by || "";
  const who = p.status === "refused" ? `${by === "person" ? "you said no" : BY[by] || "refused"}${p.reason ? `: ${p.reason}` : ""}` : BY[by] || by;
  const edited = p.run && json(p.run) !== json(p.arguments) ? `<dt>ran with</dt><dd class="mono">${esc(visible(p.run))}</dd>` : "";
  return (
    speaker("System") +
    `<details class="card call-${p.status}"><summary><code class="name">${esc(visible(p.name))}</code><span class="tag">${esc(who)}</span><span class="meta">${esc(state)}</span></summary>` +
    `<dl class="io">${rows(p.arguments)}${edited}${p.output === undefined ? "" : `<dt>${p.status === "done" ? "result" : "error"}</dt><dd class="mono">${esc(visible(json(plain(p.output))))}</dd>`}` +
    `${p.printed ? `<dt>printed</dt><dd class="mono">${esc(visible(plain(p.printed)))}</dd>` : ""}</dl></details>`
  );
}

const FENCE = /^\s*(?:```+|~~~+)([\w+#.-]*)[^\n]*\n?/;
/** The place of a block, which is written in its own direction. @param {Element} el @param {number} i */
function place(el, i) {
  const d = child(el, i);
  if (!d.hasAttribute("dir")) d.setAttribute("dir", "auto");
  return d;
}
/**
 * The open tail is hidden from screen readers until it is finished.
 * @param {Element} el @param {import("./fold.js").TextPart} p @param {{shown: string[], end: number}} blocks
 */
export function paintAnswer(el, p, { shown, end }) {
  const tail = p.text.slice(end);
  shown.forEach((html, i) => {
    const d = place(el, i);
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
    const d = place(el, n);
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

/**
 * @typedef {import("./fold.js").Part} Part
 * @typedef {import("./server.js").Session} Session
 * @typedef {"chat" | "replay" | "lane"} Mode lane: one exchange of a comparison, without its message
 * @typedef {{session: Session, mode: Mode, asked: import("./server.js").Asked[], chosen: Record<string, import("./server.js").Answer>,
 *   editing: string, costs: string[]}} View
 */

/** @param {Session} session @param {Mode} mode @returns {View} */
export const viewOf = (session, mode) => ({ session, mode, asked: session.status.asked || [], chosen: session.chosen, editing: session.editing, costs: session.costs });

const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
/** A file that a message carries; a picture is shown. @param {string} session @param {import("./fold.js").Attachment} f */
export function fileHTML(session, f) {
  const address = `api/sessions/${session}/files/${encodeURIComponent(f.sha256)}`;
  const chip = `<a class="chip" href="${address}" download="${esc(f.name)}"><b>${esc(f.name)}</b>${f.size ? bytes(f.size) : ""}</a>`;
  return PICTURES.includes(f.media_type) ? `<figure class="picture"><img src="${address}" alt="${esc(f.name)}" loading="lazy"><figcaption>${chip}</figcaption></figure>` : chip;
}
/** A link to a source, if its address is one of the web. @param {import("./fold.js").Source} s */
const sourceHTML = (s) => (/^https?:\/\//.test(s.url) ? `<a href="${esc(s.url)}" rel="noopener noreferrer nofollow" target="_blank">${esc(s.title || s.url)}</a>` : esc(s.title || s.url));

/** @param {Part} p @param {Exchange} x @param {View} view */
function partHTML(p, x, view) {
  switch (p.part) {
    case "user":
      if (x.compacts) return `${speaker("System", `<time>${clock(p.t)}</time>`)}<p class="line">asst asked for a summary of the turns above.</p>`;
      return `${speaker("You", `<time>${clock(p.t)}</time>`)}<div class="said" dir="auto">${esc(p.text)}</div>${p.files.map((f) => fileHTML(view.session.id, f)).join("")}`;
    case "reasoning":
      return `<details class="fold"><summary>${p.to ? `Thought for ${ms(p.to - p.from)}` : "Thinking"}</summary><div class="said" dir="auto">${esc(p.text)}</div></details>`;
    case "commentary":
      return `${speaker(x.profile, "on the way")}<div class="said quiet" dir="auto">${esc(p.text)}</div>`;
    case "call":
      return p.status === "waiting" ? approvalHTML(p, x, view) : callHTML(p);
    case "line":
      return `<p class="line">${esc(p.text)}</p>`;
    case "retry":
      return `<p class="line">${esc(p.message)} ${p.times > 1 ? `Tried ${p.times} times. ` : ""}Trying again after ${ms(p.delay * 1000)}.</p>`;
    case "cut":
      return `<p class="line">${esc(x.settled || "incomplete")}: ${esc(p.reason)}. What arrived is saved.</p>`;
    case "sources":
      return `<ol class="sources">${p.sources.map((s) => `<li>${sourceHTML(s)}</li>`).join("")}</ol>`;
    case "error":
      return (
        `<section class="card fault" role="alert"><div class="head"><b>${esc(p.message)}</b></div>${p.hint ? `<p class="why">${esc(p.hint)}</p>` : ""}` +
        `${view.mode === "chat" && x.keep >= 0 ? `<div class="acts"><button class="btn" data-act="retry">Try again</button><button class="btn quiet" data-pick>Ask another profile</button></div>` : ""}</section>`
      );
    case "end":
      return endHTML(x, view);
    default:
      return `${speaker(x.profile, esc(x.model))}<div class="said md" dir="auto"></div>`;
  }
}
const ACTS = [
  ["copy", "Copy the answer"],
  ["retry", "Ask again"],
  ["edit", "Edit the message"],
  ["fork", "Fork from here"],
];
/** Which of them there are. @type {Record<Mode, string[]>} */
const OFFERED = { chat: ["copy", "retry", "edit", "fork"], replay: ["copy", "fork"], lane: ["copy"] };
/** @param {Exchange} x @param {View} view */
function endHTML(x, view) {
  const tokens = x.usage ? `<span class="tok">${count(x.usage.input)} → ${count(x.usage.output)} tokens</span>` : "";
  const known = view.costs[x.number] || (x.usage?.cost != null ? money(x.usage.cost) : "");
  const cost = known ? `<span>${esc(known)}</span>` : "";
  const acts = ACTS.filter(([what]) => OFFERED[view.mode].includes(what) && (x.keep >= 0 || what === "copy" || what === "fork"));
  return (
    `<div class="end"><button class="state ${x.settled}" data-show title="Show the details">${x.settled}</button>` +
    `<svg class="mini" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">${bars(x)}</svg><span>${ms(x.end - x.start)}</span>${tokens}${cost}` +
    `${x.withdrawn ? "<span>no longer sent</span>" : ""}<span class="acts">${acts.map(([i, l]) => `<button class="icon" data-act="${i}" aria-label="${l}" title="${l}">${icon(i)}</button>`).join("")}</span></div>`
  );
}

/** @type {Record<string, string>} */
const STATE_OF = { user: "ready", reasoning: "running", call: "requires_action", answer: "streaming", commentary: "streaming" };
/** How each exchange was painted. @type {WeakMap<Element, string>} */
let painted = new WeakMap();
/** @type {WeakMap<Element, {session: Session, exchange: Exchange}>} */
const shown = new WeakMap();

/** Paint exchanges anew whose records have not changed: an answer was chosen, or arguments are edited. */
export function forgetPainted() {
  painted = new WeakMap();
}
/** The exchange in which something is, and its session. @param {Element} el */
export const exchangeAround = (el) => shown.get(closest(el, ".exchange") || el);

/** @param {Element} log @param {Exchange[]} exchanges @param {View} view */
export function paintLog(log, exchanges, view) {
  while (log.children.length > exchanges.length) log.lastElementChild?.remove();
  exchanges.forEach((x, n) => {
    let el = log.children[n];
    if (!el) {
      el = log.appendChild(document.createElement("article"));
      el.className = "exchange";
      el.setAttribute("aria-label", `Turn ${n + 1}`);
    }
    shown.set(el, { session: view.session, exchange: x });
    // A settled exchange that was painted whole is left alone: the cost of a chunk doesn't grow with the session.
    const key = `${view.session.id}.${x.number}.${x.records.length}.${x.settled}.${x.withdrawn}.${x.keep}.${view.mode}.${view.costs[x.number] || ""}`;
    if (x.settled && painted.get(el) === key) return;
    painted.set(el, key);
    el.classList.toggle("withdrawn", x.withdrawn);
    if (!paintExchange(el, x, view)) painted.delete(el);
  });
}
/** Returns whether all of it is there: the last block of an answer may still be to come. @param {Element} el @param {Exchange} x @param {View} view */
function paintExchange(el, x, view) {
  let whole = true;
  const parts = view.mode === "lane" ? x.parts.filter((p) => p.part !== "user") : [...x.parts];
  if (x.settled) parts.push({ part: "end", seq: 0 });
  while (el.children.length > parts.length) el.lastElementChild?.remove();
  parts.forEach((p, i) => {
    const d = child(el, i);
    const open = d.querySelector("details")?.open;
    const live = !x.settled && i === parts.length - 1;
    const waits = p.part === "call" && p.status === "waiting";
    const name = `part ${p.part === "end" ? "foot" : p.part} ${waits && view.mode !== "replay" ? "ask" : live ? "lit" : "done"}`;
    if (d.className !== name) d.className = name;
    d.setAttribute("data-s", STATE_OF[p.part] || x.settled || "error");
    const edited = waits && view.asked.some((a) => a.call_id === p.call_id && a.id === view.editing) && d.querySelector("textarea");
    const isNew = !edited && put(d, partHTML(p, x, view)); // what a person writes is left alone
    const said = p.part === "answer" ? d.querySelector(".said") : null;
    if (p.part === "answer" && said) {
      const found = view.session.blocks.upTo(x.number, p.number, p.text.length);
      paintAnswer(said, p, found);
      if (found.end < p.text.length) whole = false;
    }
    const details = d.querySelector("details");
    if (isNew && open && details) details.open = true;
  });
  return whole;
}
