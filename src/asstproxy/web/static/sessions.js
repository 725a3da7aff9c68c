/** Sessions: opened as a conversation or as a comparison, listed, found, renamed, forked, exported, deleted. */
import { $, all, as, clock, closest, esc, put, valueOf } from "./html.js";
import { paintPick } from "./profiles.js";
import { get, post, Session } from "./server.js";
import { fail, S, shownSessions, tell, touch } from "./state.js";
import { setView } from "./views.js";

/** @typedef {{id: string, title: string, updated: string, profile: string, state: string, here: boolean, busy: boolean, asks: boolean}} Row */

const LONGEST = 10_000; // ms: requests that a dead connection swallows don't take all that the browser allows

/** @type {Row[]} */
let rows = [];

let refreshes = 0;
/** @param {string} current */
async function refresh(current) {
  const words = valueOf("find").trim();
  const number = ++refreshes;
  /** @type {Row[]} */
  const found = await get(`/sessions?limit=${words ? 50 : 200}&q=${encodeURIComponent(words)}`, LONGEST).catch((error) => {
    if (words && error.status === 400) return []; // signs only: no word to search for
    throw error;
  });
  if (number !== refreshes) return; // other words were searched for meanwhile
  rows = found;
  paintList(current);
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
function paintList(current) {
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
  const focused = closest(document.activeElement, "#sessions a")?.getAttribute("href");
  if (put($("sessions"), html.join("")) && focused) all("#sessions a").find((a) => a.getAttribute("href") === focused)?.focus();
  $("nofind").hidden = !!rows.length || !searching;
}

const BETWEEN = "+"; // ids of a comparison in the address

function leave() {
  for (const session of shownSessions()) session.close();
  S.session = undefined;
  S.lanes = [];
  S.lane = 0;
  S.exchanges = [];
  S.keep = undefined;
  S.again = [];
  S.focus = -1;
}
/** @param {string} id */
const watched = (id) =>
  new Session(id, {
    changed: touch,
    failed: fail,
    gone: () => {
      location.hash = "";
      fail("This session was deleted.");
    },
  });

/** Show what an address names; empty: a new session. @param {string} hash without its # */
export async function open(hash) {
  const ids = hash.split(BETWEEN).filter(Boolean);
  leave();
  if (!ids.every((id) => /^\w+$/.test(id))) {
    location.hash = "";
    throw new Error("This address isn't that of a session.");
  }
  S.stick = true;
  if (ids.length === 1) S.others = []; // what is written there goes to one
  setView(ids.length > 1 ? "compare" : "chat");
  if (!ids.length) return;
  const opened = ids.map(watched);
  if (opened.length > 1) S.lanes = opened;
  else S.session = opened[0];
  try {
    await Promise.all(opened.map((one) => one.load()));
  } catch (error) {
    if (shownSessions()[0] !== opened[0]) return; // another one was chosen meanwhile
    leave();
    location.hash = "";
    throw error;
  }
  const configured = opened.map((one) => one.records.filter((r) => r.type === "configured").at(-1));
  S.profile = configured[0]?.profile || S.profile;
  S.model = configured[0]?.model || "";
  if (S.lanes.length) S.others = [...new Set(configured.map((r) => r?.profile || ""))].filter((name) => name && name !== S.profile);
  paintPick();
}
/** Open sessions that were just made, as a new entry of the browser's history. @param {string[]} ids */
export async function openNew(ids) {
  history.pushState(null, "", `#${ids.join(BETWEEN)}`);
  await open(ids.join(BETWEEN));
}
/** Fetch the list of sessions, unless nobody looks at it. */
export async function list() {
  if (!document.hidden) await refresh(S.session?.id || "").catch(() => undefined);
}
let listed = "";
/** The list shows the state of what is open here: it is fetched again when that turns. @param {string} title */
export function followList(title) {
  const now = `${shownSessions().map((s) => `${s.id}.${s.status.busy}.${s.status.asked?.length}`)}.${title}`;
  if (now === listed) return;
  listed = now;
  setTimeout(list, 300);
}
/** Another session was chosen, or the browser went back. */
export function followAddress() {
  addEventListener("hashchange", () => open(location.hash.slice(1)).catch(fail));
}

/** A question in a dialog; without a `value`, only yes or no. Null: cancelled. @param {string} title @param {string} go @param {string} [value] @returns {Promise<string | null>} */
function ask(title, go, value) {
  const dialog = as("dialog", HTMLDialogElement);
  const field = as("dialog-text", HTMLInputElement);
  put($("dialog-title"), esc(title));
  field.hidden = value === undefined;
  field.value = value || "";
  put($("dialog-go"), esc(go));
  $("dialog-go").className = value === undefined ? "btn danger" : "btn go";
  dialog.returnValue = "";
  dialog.showModal();
  if (value) field.select();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue === "go" ? field.value : null), { once: true }));
}
/** @param {string} what */
async function menu(what) {
  const id = S.session?.id || S.lanes[S.lane]?.id;
  if (!id) return;
  if (what === "rename") {
    const title = await ask("Rename this session", "Rename", $("title").textContent || "");
    if (title !== null) await post(`/sessions/${id}/title`, { title });
  }
  if (what === "fork") {
    /** @type {{session: string}} */
    const made = await post(`/sessions/${id}/fork`);
    location.hash = made.session;
  }
  if (what === "release") {
    await post(`/sessions/${id}/close`);
    tell("A terminal can open it now");
  }
  if (what === "delete" && (await ask("Delete this session? It can't be brought back.", "Delete")) !== null) {
    await post(`/sessions/${id}/delete`);
    location.hash = "";
  }
  if (what.startsWith("export-")) {
    const link = document.createElement("a");
    link.href = `api/sessions/${id}/export?form=${what.slice("export-".length)}`;
    link.download = "";
    link.click();
  }
  await list();
}
/** A popover stands next to its button: below it, or above it in the lower half of the window. @param {string} button @param {string} popover */
function place(button, popover) {
  const m = $(popover);
  m.addEventListener("toggle", (e) => {
    if (!("newState" in e) || e.newState !== "open") return;
    const r = $(button).getBoundingClientRect();
    m.style.setProperty("left", `${Math.max(8, Math.min(r.left, innerWidth - m.offsetWidth - 8))}px`);
    m.style.setProperty("top", `${Math.max(8, r.top > innerHeight / 2 ? r.top - m.offsetHeight - 6 : r.bottom + 6)}px`);
  });
}
export function placePopovers() {
  place("more", "menu");
  place("pick", "picker");
}
let searching = 0;
/** The list shows what is found while it is written. */
export function takeSearch() {
  $("find").addEventListener("input", () => {
    clearTimeout(searching);
    searching = window.setTimeout(list, valueOf("find") ? 150 : 0);
  });
}

/** @type {import("./html.js").Click[]} */
export const clicks = [
  [
    "#new",
    async () => {
      if (location.hash.length > 1) location.hash = "";
      else await open("");
      $("say").focus();
    },
  ],
  [
    "[data-menu]",
    (b) => {
      $("menu").hidePopover();
      return menu(b.dataset.menu || "");
    },
  ],
  [
    "#clearfind",
    () => {
      as("find", HTMLInputElement).value = "";
      return list();
    },
  ],
];
