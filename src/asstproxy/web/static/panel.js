/** The details: facts and drawings of one exchange, and the records of the session with filters. */
import { mapSVG, sequenceSVG, timelineSVG } from "./draw.js";
import { time } from "./fold.js";
import { $, all, as, closest, count, esc, money, ms, put, valueOf, visible } from "./html.js";
import { kind, STEPS } from "./script.js";
import { S, shownRecords, touch } from "./state.js";
import { isPanelOpen, panel, tab } from "./views.js";

/** @typedef {import("./fold.js").Exchange} Exchange @typedef {import("./fold.js").Rec} Rec */

const REST = 100; // ms between two drawings of an exchange that goes on in the same state
let drawn = 0;
let stage = "";

/** @param {string} id @param {[number, string]} drawing */
function draw(id, [h, html]) {
  const el = $(id);
  if (put(el, html)) el.setAttribute("viewBox", `0 0 360 ${h}`);
}
/** @param {Exchange | undefined} x @param {Rec[]} records @param {number} top number of rows to show at most @param {string} [cost] */
export function paintPanel(x, records, top, cost = "") {
  if (!isPanelOpen()) return;
  drawn = performance.now();
  if (!$("p-rec").hidden) {
    paintRecords(records, top);
    return;
  }
  $("no-exchange").hidden = !!x;
  $("drawings").hidden = !x;
  if (!x) return;
  const open = x.settled ? "–" : "…";
  const facts = [
    ["model", x.model || open],
    ["tokens", x.usage ? count(x.usage.input + x.usage.output) : open],
    ["cost", cost || (x.usage?.cost != null ? money(x.usage.cost) : "–")],
    ["records", String(x.records.length)],
  ];
  put($("facts"), facts.map(([k, v]) => `<div><dt>${k}</dt><dd>${esc(v)}</dd></div>`).join(""));
  put($("map"), mapSVG(x));
  draw("timeline", timelineSVG(x));
  draw("sequence", sequenceSVG(x));
  put($("state-now"), esc(x.path[x.path.length - 1].state));
  put($("total"), ms(x.end - x.start));
  const path = x.path.map((p) => `${p.state} ${ms(p.to - p.from)}`).join(", ");
  $("map").setAttribute("aria-label", `The path: ${path}`);
  $("timeline").setAttribute("aria-label", `Time in each state: ${path}`);
}

/**
 * The same, but not with every chunk: until the exchange takes a step, ten times a second.
 * @param {Exchange | undefined} x @param {Rec[]} records @param {number} top @param {string} [cost]
 */
export function paintPanelSoon(x, records, top, cost) {
  const now = x ? `${x.number}.${x.path.length}.${x.parts.length}.${x.settled}` : "";
  if (x && !x.settled && now === stage && performance.now() - drawn < REST) return;
  stage = now;
  paintPanel(x, records, top, cost);
}

/** What a record is about, in a few words. @param {Rec} r @returns {string} */
function about(r) {
  switch (r.type) {
    case "started":
      return `${r.provider} · ${r.model || ""}`;
    case "action_required":
    case "approval_requested":
      return r.calls.map((c) => c.name).join(", ");
    case "approval_given":
      return r.decisions.map((d) => (d.approved ? "yes" : "no")).join(", ");
    case "tool_started":
      return `${r.name} ${r.arguments}`;
    case "tool_finished":
      return `${ms((r.seconds || 0) * 1000)} · ${r.result?.error ?? r.result?.output ?? ""}`;
    case "usage":
      return `${count(r.input_tokens || 0)} in · ${count(r.output_tokens || 0)} out`;
    case "configured":
      return [r.profile, r.model].filter(Boolean).join(" ");
    default:
      return words(r);
  }
}
const TEXTS = new Set(["text", "message", "reason", "title", "status"]);
/** The first text of a record, whatever its type. @param {Rec} r */
function words(r) {
  const found = Object.entries(r).find(([name, value]) => TEXTS.has(name) && typeof value === "string");
  return found ? String(found[1]) : "";
}
/** @typedef {{r: Rec, n: number, more: string, message: boolean, exchange: number, after: number}} RecordRow `n`: so many in a row, in one line */
/** @param {Rec[]} records @param {number} top */
function paintRecords(records, top) {
  const on = (/** @type {string} */ k) => document.querySelector(`[data-kind=${k}]`)?.getAttribute("aria-pressed") === "true";
  const wanted = valueOf("grep").toLowerCase();
  /** @type {RecordRow[]} */
  const rows = [];
  let exchange = 0;
  let zero = records.length ? time(records[0]) : 0;
  for (const r of records) {
    if (r.type === "set_user_message") {
      exchange += 1;
      zero = time(r);
    }
    const message = r.type in STEPS;
    if (!on(message ? "message" : "note")) continue;
    if (wanted && !JSON.stringify(r).toLowerCase().includes(wanted)) continue;
    const last = rows[rows.length - 1];
    if ((r.type === "chunk_received" || r.type === "reasoning") && last?.r.type === r.type && !on("chunk")) {
      last.n += 1;
      if (last.more.length < 100) last.more += r.text;
      continue;
    }
    rows.push({ r, n: 1, more: about(r), message, exchange, after: time(r) - zero });
  }
  $("norec").hidden = rows.length > 0;
  $("earlier").hidden = rows.length <= top;
  const shown = rows.slice(-top);
  placeRows(shown.flatMap((row, i) => (row.exchange === shown[i - 1]?.exchange ? [paintRow(row)] : [paintHeading(row), paintRow(row)])));
}
/** @type {WeakMap<Rec, HTMLElement>} */
const headings = new WeakMap();
/** @type {WeakMap<Rec, HTMLElement>} */
const details = new WeakMap();
/** @param {RecordRow} row the first of its turn */
function paintHeading({ r, exchange }) {
  const el = headings.get(r) || document.createElement("h2");
  headings.set(r, el);
  put(el, exchange ? `Turn ${exchange}` : "Before the first turn");
  return el;
}
/** @param {RecordRow} row */
function paintRow({ r, n, more, message, after }) {
  let el = details.get(r);
  if (!el) {
    details.set(r, (el = document.createElement("details")));
    el.className = `rec ${message ? "message" : "note"} ${r.type}`;
    el.dataset.at = String(r.seq);
    el.append(document.createElement("summary"));
    el.children[0].className = kind(r.state);
  }
  put(el.children[0], `<i>${r.seq}</i><i>${ms(after)}</i><span><b>${esc(r.type)}</b>${n > 1 ? ` × ${n}` : ""}<em>${esc(String(more).slice(0, 80))}</em></span>`);
  return el;
}
/** Rows that stay aren't moved: what is open stays open, and keeps the focus. @param {HTMLElement[]} rows */
function placeRows(rows) {
  const list = $("records");
  const wanted = new Set(rows);
  for (const el of all(":scope > *", list)) if (!wanted.has(el)) el.remove();
  rows.forEach((el, i) => {
    if (list.children[i] !== el) list.insertBefore(el, list.children[i] || null);
  });
}
/** The whole record, written when it is opened: of 10,000, few are. @param {Element} row */
function openRecord(row) {
  if (row.querySelector("pre")) return;
  const seq = Number(row.getAttribute("data-at"));
  const pre = document.createElement("pre");
  pre.tabIndex = 0;
  pre.textContent = visible(JSON.stringify(shownRecords().find((r) => r.seq === seq), null, 2));
  row.append(pre);
}
/** Show a record. @param {number} seq */
function showRecord(seq) {
  panel(true);
  tab($("t-rec"));
  paintRecords(shownRecords(), S.rows);
  const found = all(".rec").findLast((el) => Number(el.dataset.at) <= seq);
  if (!(found instanceof HTMLDetailsElement)) return;
  found.open = true;
  found.scrollIntoView({ block: "center" });
  found.querySelector("summary")?.focus();
}
/** What is pointed at in the conversation is marked in the drawings; a record is written when it is opened. */
export function linkDrawings() {
  const log = $("log");
  /** @param {Event} e */
  const mark = (e) => {
    const state = closest(e.target, ".part")?.dataset.s;
    for (const g of $("p-ex").querySelectorAll("[data-s]")) g.classList.toggle("hover", g.getAttribute("data-s") === state);
  };
  log.addEventListener("pointerover", mark);
  log.addEventListener("focusin", mark);
  log.addEventListener("pointerleave", () => {
    for (const g of $("p-ex").querySelectorAll(".hover")) g.classList.remove("hover");
  });
  $("grep").addEventListener("input", touch);
  const opened = (/** @type {Event} */ e) => e.target instanceof HTMLDetailsElement && e.target.open && openRecord(e.target);
  $("records").addEventListener("toggle", opened, true);
}

/** @type {import("./html.js").Click[]} */
export const clicks = [
  [".to[data-seq]", (g) => showRecord(Number(g.dataset.seq))],
  [
    "[data-kind]",
    (b) => {
      b.setAttribute("aria-pressed", String(b.getAttribute("aria-pressed") !== "true"));
      touch();
    },
  ],
  [
    "#earlier",
    () => {
      S.rows += 400;
      touch();
    },
  ],
  [
    "#cleargrep",
    () => {
      as("grep", HTMLInputElement).value = "";
      touch();
    },
  ],
];
