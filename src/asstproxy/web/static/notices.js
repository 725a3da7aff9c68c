/** What the page says about itself: turning points for screen readers, a lost connection, a failure. */
import { $, put, write } from "./dom.js";
import { S, shownSessions } from "./state.js";
import { esc } from "./words.js";

/** For screen readers. @param {string} text */
export const say = (text) => write($("status"), text);

/** One line about a failure. @param {unknown} error */
export function fail(error) {
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
  if (wasLost && !lost.length) $("fault").hidden = true; // it was about the connection
  wasLost = lost.length > 0;
  $("notice").hidden = !lost.length;
  if (lost.length) put($("notice-text"), `No connection to asst web. If it still runs, so does the turn. The page continues from record ${lost[0].seq}.`);
  const fault = S.session?.status.fault || "";
  if (fault && reported !== fault) fail(fault);
  reported = fault;
}

/** @type {import("./dom.js").Click[]} */
export const clicks = [
  ["#try-now", () => Promise.all(shownSessions().map((s) => s.load()))],
  [
    "#shut",
    () => {
      $("fault").hidden = true;
    },
  ],
];
