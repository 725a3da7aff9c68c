/** One painting of the page, of what `state.js` says. */
import { paintLanes } from "./compare.js";
import { paintLog, viewOf } from "./conversation.js";
import { $, put, write } from "./dom.js";
import { pathHTML } from "./draw.js";
import { fold } from "./fold.js";
import { paintDock } from "./messages.js";
import { paintNotice, say } from "./notices.js";
import { paintPanel, paintPanelSoon } from "./panel.js";
import { advance, paintTransport } from "./replay.js";
import { get } from "./server.js";
import { followList } from "./sessions.js";
import { S, isBusy, shownRecords, touch } from "./state.js";
import { ms } from "./words.js";

const REST = 100; // ms between two paintings in which only clocks move
const FRAME = 100; // ms that a replay advances at most at a time

/** @type {Record<string, string>} */
const TURNING_POINTS = { awaiting_approval: "Your approval is needed", streaming: "Answering", completed: "Answered", cancelled: "Stopped", error: "It failed", incomplete: "Cut short" };

/** @param {boolean} [whole] the details, too, at once */
export function paint(whole = true) {
  const x = S.view === "compare" ? paintLanes() : paintConversation();
  if (S.view !== "replay") followList($("title").textContent || "");
  paintDock();
  paintNotice();
  const costs = (S.view === "compare" ? S.lanes[S.lane] : S.session)?.costs || [];
  const details = /** @type {const} */ ([x, shownRecords(), S.rows, x ? costs[x.number] : ""]);
  if (whole || S.view === "replay") paintPanel(...details);
  else paintPanelSoon(...details);
}
/** Returns the exchange whose details are shown. */
function paintConversation() {
  const replay = S.view === "replay";
  const records = shownRecords();
  const exchanges = fold(records, replay ? S.clock : Date.now());
  S.exchanges = exchanges;
  const live = exchanges[exchanges.length - 1];
  const state = live?.path[live.path.length - 1]?.state || "new";
  $("blank").hidden = !!exchanges.length || replay || !!S.session;
  $("log").hidden = !exchanges.length;
  if (S.session) paintLog($("log"), exchanges, viewOf(S.session, replay ? "replay" : "chat"));
  if (S.stick) $("scroll").scrollTop = $("scroll").scrollHeight;
  $("now").hidden = !live;
  if (live) {
    put($("path"), pathHTML(live, $("path").clientWidth || 600));
    write($("clock"), ms(live.end - live.start));
  }
  const titled = S.session?.records.findLast((r) => r.type === "titled");
  const title = (titled?.type === "titled" && titled.title) || exchanges[0]?.text || "New session";
  write($("title"), title.slice(0, 120));
  const active = !!live && !live.settled;
  document.title = `${active ? (state === "awaiting_approval" ? "Waits for you · " : "… ") : ""}${title.slice(0, 60)} · asst`;
  write($("seq"), String(records[records.length - 1]?.seq || 0));
  $("log").setAttribute("aria-busy", String(active && !replay));
  if (replay) paintTransport(records, state);
  else {
    if (live) say(TURNING_POINTS[state] || "Working");
    if (live?.settled) fetchCosts(`${exchanges.length}.${live.settled}`);
  }
  return exchanges[S.focus] || live;
}
/** Money is computed by the server, when an exchange is over. @param {string} key of the session's state */
async function fetchCosts(key) {
  const session = S.session;
  if (!session || session.costed === key) return;
  session.costed = key;
  session.costs = await get(`/sessions/${session.id}/costs`).catch(() => /** @type {string[]} */ ([]));
  touch();
}

let before = 0;
let painted = 0;
/** @param {number} frame when it began, in ms @param {boolean} dirty @returns {boolean} whether another one is needed */
export function onFrame(frame, dirty) {
  const passed = Math.min(frame - before, FRAME);
  before = frame;
  const moves = S.playing && S.view === "replay";
  if (moves) advance(passed);
  const live = S.exchanges[S.exchanges.length - 1];
  const ticks = S.view !== "replay" && ((S.view === "chat" && live && !live.settled) || (S.view === "compare" && isBusy()));
  if (dirty || moves || (ticks && frame - painted > REST)) {
    painted = frame;
    paint(false);
  }
  return moves || !!ticks;
}
