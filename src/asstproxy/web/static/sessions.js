/** Opening sessions: one as a conversation, several as a comparison. The part of the address after # names them. */
import { $ } from "./dom.js";
import { refresh } from "./list.js";
import { fail } from "./notices.js";
import { paintPick } from "./profiles.js";
import { Session } from "./session.js";
import { S, shownSessions, touch } from "./state.js";
import { setView } from "./views.js";

const BETWEEN = "+"; // ids of a comparison in the address

function leave() {
  for (const session of shownSessions()) session.close();
  S.session = undefined;
  S.lanes = [];
  S.lane = 0;
  S.exchanges = [];
  S.keep = undefined;
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
  S.stick = true;
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
  const configured = opened[0].records.findLast((r) => r.type === "configured");
  if (configured?.type === "configured" && S.session) {
    S.profile = configured.profile || S.profile;
    S.model = configured.model || "";
  }
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

/** @type {import("./dom.js").Click[]} */
export const clicks = [
  [
    "#new",
    async () => {
      if (location.hash.length > 1) location.hash = "";
      else await open("");
      $("say").focus();
    },
  ],
];
