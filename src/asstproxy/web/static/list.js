/** The list of sessions, by day. */
import { $, put, valueOf } from "./dom.js";
import { get } from "./server.js";
import { clock, esc } from "./words.js";

/** @typedef {{id: string, title: string, updated: string, profile: string, state: string, here: boolean, busy: boolean, asks: boolean}} Row */

/** @type {Row[]} */
let rows = [];

/** @param {string} current */
export async function refresh(current) {
  const words = valueOf("find").trim();
  rows = await get(`/sessions?limit=${words ? 50 : 200}&q=${encodeURIComponent(words)}`);
  paint(current);
}
/** @param {string} text */
function marked(text) {
  const words = valueOf("find").trim();
  const i = words ? text.toLowerCase().indexOf(words.toLowerCase()) : -1;
  return i < 0 ? esc(text) : `${esc(text.slice(0, i))}<mark>${esc(text.slice(i, i + words.length))}</mark>${esc(text.slice(i + words.length))}`;
}
/** @param {string} at */
function day(at) {
  const then = new Date(at);
  const days = Math.floor((new Date().setHours(0, 0, 0, 0) - new Date(then).setHours(0, 0, 0, 0)) / 864e5);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days < 7) return "Last week";
  return then.toLocaleDateString([], { month: "long", year: "numeric" });
}
/** The line below a title, and its class. @param {Row} r @returns {[string, string]} */
function under(r) {
  const when = clock(Date.parse(r.updated));
  if (r.asks) return ["waits for you", "ask"];
  if (r.busy) return [`${r.profile} · ${r.state.replaceAll("_", " ")}`, ""];
  if (!r.here && !["completed", "incomplete", "cancelled", "error", "interrupted", "new"].includes(r.state)) return ["open in a terminal", ""];
  return [`${r.profile} · ${when}${r.state === "completed" ? "" : ` · ${r.state}`}`, ""];
}
/** @param {string} current */
function paint(current) {
  /** @type {Map<string, Row[]>} */
  const days = new Map();
  const searching = !!valueOf("find").trim();
  for (const r of rows) {
    const key = searching ? "Found" : day(r.updated);
    days.set(key, [...(days.get(key) || []), r]);
  }
  const html = [...days].map(
    ([name, found]) =>
      `<h2>${esc(name)}</h2><ul>${found
        .map((r) => {
          const [words, cls] = under(r);
          const dot = r.asks ? `<i class="dot ask"></i>` : r.busy ? `<i class="dot live"></i>` : "";
          return `<li><a href="#${r.id}"${r.id === current ? ' aria-current="page"' : ""}><b>${marked(r.title || "Untitled")}</b>${dot}<small class="${cls}">${esc(words)}</small></a></li>`;
        })
        .join("")}</ul>`,
  );
  put($("sessions"), html.join(""));
  $("nofind").hidden = !!rows.length || !searching;
}
