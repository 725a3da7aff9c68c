/** The details: facts and drawings of one exchange, and the records of the session with filters. */
import { put } from "./conversation.js";
import { mapSVG, sequenceSVG, timelineSVG } from "./draw.js";
import { time } from "./fold.js";
import { $, STEPS, count, esc, kind, money, ms } from "./script.js";

/** @typedef {import("./fold.js").Exchange} Exchange @typedef {import("./fold.js").Rec} Rec */

/** @param {string} id @param {[number, string]} drawing */
function draw(id, [h, html]) {
  const el = $(id);
  if (put(el, html)) el.setAttribute("viewBox", `0 0 360 ${h}`);
}
/** @param {Exchange | undefined} x @param {Rec[]} records @param {number} top number of rows to show at most @param {string} [cost] */
export function paintPanel(x, records, top, cost = "") {
  if ($("app").dataset.panel === "closed") return;
  if (!$("p-rec").hidden) {
    paintRecords(records, top);
    return;
  }
  $("no-exchange").hidden = !!x;
  $("drawings").hidden = !x;
  if (!x) return;
  const facts = [
    ["model", x.model || "…"],
    ["tokens", x.usage ? count(x.usage.input + x.usage.output) : "…"],
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

/** What a record is about, in a few words. @param {Rec} r @returns {string} */
function about(r) {
  switch (r.type) {
    case "started":
      return `${r.provider} · ${r.model || ""}`;
    case "action_required":
    case "approval_requested":
      return (r.calls || []).map((/** @type {any} */ c) => c.name).join(", ");
    case "approval_given":
      return (r.decisions || []).map((/** @type {any} */ d) => (d.approved ? "yes" : "no")).join(", ");
    case "tool_started":
      return `${r.name} ${r.arguments}`;
    case "tool_finished":
      return `${ms((r.seconds || 0) * 1000)} · ${r.result?.error ?? r.result?.output ?? ""}`;
    case "usage":
      return `${count(r.input_tokens || 0)} in · ${count(r.output_tokens || 0)} out`;
    case "configured":
      return [r.profile, r.model].filter(Boolean).join(" ");
    default:
      return r.text || r.message || r.reason || r.title || r.status || "";
  }
}
/** @param {Rec[]} records @param {number} top */
function paintRecords(records, top) {
  const on = (/** @type {string} */ k) => document.querySelector(`[data-kind=${k}]`)?.getAttribute("aria-pressed") === "true";
  const words = $("grep").value.toLowerCase();
  /** @type {any[]} */
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
    if (words && !JSON.stringify(r).toLowerCase().includes(words)) continue;
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
  put(
    $("records"),
    shown
      .map(
        ({ r, n, more, message, exchange: at, after }, i) =>
          (at !== shown[i - 1]?.exchange ? `<h2>${at ? `Turn ${at}` : "Before the first turn"}</h2>` : "") +
          `<details class="rec ${message ? "message" : "note"} ${esc(r.type)}" data-at="${r.seq}"><summary class="${kind(r.state)}"><i>${r.seq}</i>` +
          `<i>${ms(after)}</i><span><b>${esc(r.type)}</b>${n > 1 ? ` × ${n}` : ""}<em>${esc(String(more).slice(0, 80))}</em></span></summary></details>`,
      )
      .join(""),
  );
}
/** The whole record, written when it is opened: of 10,000, few are. @param {Element} details @param {Rec[]} records */
export function openRecord(details, records) {
  if (details.querySelector("pre")) return;
  const seq = Number(details.getAttribute("data-at"));
  const pre = document.createElement("pre");
  pre.tabIndex = 0;
  pre.textContent = JSON.stringify(records.find((r) => r.seq === seq), null, 2);
  details.append(pre);
}
