/** What the page shows now, how it is painted anew, and what it says about itself: turning points, a lost connection, a failure. */
import { $, esc, put, write } from "./html.js";

/**
 * @typedef {import("./server.js").Session} Session
 * @typedef {{name: string, provider: string, model: string, missing: string | null, hint: string}} Profile missing: "" for nothing, null: not known yet
 * @typedef {{name: string, size: number, data: string}} NewFile `data` in base64
 */

export const S = {
  /** @type {"chat" | "compare" | "replay"} */
  view: "chat",
  /** @type {Profile[]} */
  profiles: [],
  /** @type {Session | undefined} */
  session: undefined,
  /** The sessions of a comparison, side by side. @type {Session[]} */
  lanes: [],
  lane: 0,
  /** @type {import("./fold.js").Exchange[]} */
  exchanges: [],
  /** The exchange whose details are shown; -1: the newest. */
  focus: -1,
  profile: "",
  /** Another model than the profile's. */
  model: "",
  /** The provider works in the background, so that the answer can be fetched after a crash. */
  background: false,
  /** Profiles that the next message goes to as well. @type {string[]} */
  others: [],
  /** Files of the message that is written. @type {NewFile[]} */
  files: [],
  /** Files of the message that is edited, which go with it again. @type {import("./fold.js").Attachment[]} */
  again: [],
  /** The message in the box replaces the turns from here on. @type {number | undefined} */
  keep: undefined,
  sending: false,
  /** The view follows the end of the conversation. */
  stick: true,
  /** Rows of records that are shown at most. */
  rows: 400,
  /** Replay: records shown, and its clock in ms. */
  n: 0,
  clock: 0,
  playing: false,
  speed: 1,
};

/** The sessions that are shown. */
export const shownSessions = () => (S.lanes.length ? S.lanes : S.session ? [S.session] : []);
/** Whether an exchange is in progress. */
export const isBusy = () => shownSessions().some((s) => s.status.busy);
/** Who else has the session open; empty: nobody. */
export const holder = () => (S.session && !S.session.status.live ? S.session.status.holder || "" : "");
/** The records that the details are about. */
export const shownRecords = () => (S.view === "compare" ? S.lanes[S.lane]?.records || [] : S.view === "replay" ? (S.session?.records || []).slice(0, S.n) : S.session?.records || []);

let asked = 0;
let dirty = true;
/** @type {(frame: number, dirty: boolean) => boolean} */
let onFrame = () => false;

/** Paint with the next frame; a page on which nothing changes asks for none. */
export function touch() {
  dirty = true;
  if (!asked) asked = requestAnimationFrame(tick);
}
/** What a frame does: it is given whether something has changed, and says whether another frame is needed. @param {typeof onFrame} work */
export function eachFrame(work) {
  onFrame = work;
}
/** @param {number} frame */
function tick(frame) {
  asked = 0;
  const was = dirty;
  dirty = false;
  if (onFrame(frame, was)) asked ||= requestAnimationFrame(tick);
}

/** For screen readers. @param {string} text */
export const say = (text) => write($("status"), text);

let shut = 0;
/** What was done: for everybody, and gone after a while. @param {string} text */
export function tell(text) {
  say(text);
  write($("told"), text);
  $("told").hidden = false;
  clearTimeout(shut);
  shut = window.setTimeout(() => $("told").toggleAttribute("hidden", true), 2500);
}

let isAboutConnection = false;
/** One line about a failure. @param {unknown} error */
export function fail(error) {
  isAboutConnection = !!error && typeof error === "object" && "status" in error && error.status === 0;
  const hint = error && typeof error === "object" && "hint" in error ? error.hint : "";
  const words = error && typeof error === "object" && "message" in error ? error.message : error;
  put($("fault"), `<i class="dot bad"></i><span>${esc(words)} ${esc(hint)}</span><button class="link" id="shut">Close</button>`);
  $("fault").hidden = false;
}
/** Do it; a failure is one line. @param {() => unknown} work */
export async function quietly(work) {
  try {
    await work();
  } catch (error) {
    fail(error);
  }
}
let reported = "";
let wasLost = false;
export function paintNotice() {
  const lost = shownSessions().filter((s) => !s.connected);
  if (wasLost && !lost.length && isAboutConnection) $("fault").hidden = true;
  wasLost = lost.length > 0;
  $("notice").hidden = !lost.length;
  if (lost.length) put($("notice-text"), `No connection to asst web. If it still runs, so does the turn. The page continues from record ${lost[0].seq}.`);
  const fault = shownSessions().map((s) => s.status.fault).find(Boolean) || "";
  if (fault && reported !== fault) fail(fault);
  reported = fault;
}

/** @type {import("./html.js").Click[]} */
export const noticeClicks = [
  ["#try-now", () => Promise.all(shownSessions().map((s) => s.retry()))],
  [
    "#shut",
    () => {
      $("fault").hidden = true;
    },
  ],
];
