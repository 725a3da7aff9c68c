/** The page starts here: one painting of it, what a click and a key do, and the first look. */
import * as compare from "./compare.js";
import { paintLog, viewOf } from "./conversation.js";
import { pathHTML } from "./draw.js";
import { fold } from "./fold.js";
import { $, all, box, closest, ms, plain, put, write } from "./html.js";
import * as messages from "./messages.js";
import * as panel from "./panel.js";
import * as profiles from "./profiles.js";
import * as replay from "./replay.js";
import { useScript } from "./script.js";
import { get } from "./server.js";
import * as sessions from "./sessions.js";
import { S, eachFrame, fail, isBusy, noticeClicks, paintNotice, quietly, say, shownRecords, shownSessions, touch } from "./state.js";
import * as views from "./views.js";

const REST = 100; // ms between two paintings in which only clocks move
const FRAME = 100; // ms that a replay advances at most at a time

/** @type {Record<string, string>} */
const TURNING_POINTS = { awaiting_approval: "Your approval is needed", streaming: "Answering", completed: "Answered", cancelled: "Stopped", error: "It failed", incomplete: "Cut short" };

/** @param {boolean} [whole] the details, too, at once */
export function paint(whole = true) {
  const x = S.view === "compare" ? compare.paintLanes() : paintConversation();
  if (S.view !== "replay") sessions.followList($("title").textContent || "");
  messages.paintDock();
  views.offerSession(shownSessions().length > 0);
  paintNotice();
  const costs = (S.view === "compare" ? S.lanes[S.lane] : S.session)?.costs || [];
  const details = /** @type {const} */ ([x, shownRecords(), S.rows, x ? costs[x.number] : ""]);
  if (whole || S.view === "replay") panel.paintPanel(...details);
  else panel.paintPanelSoon(...details);
}
/** Returns the exchange whose details are shown. */
function paintConversation() {
  const isReplay = S.view === "replay";
  const records = shownRecords();
  const exchanges = fold(records, isReplay ? S.clock : Date.now());
  S.exchanges = exchanges;
  const live = exchanges[exchanges.length - 1];
  const state = live?.path[live.path.length - 1]?.state || "new";
  $("blank").hidden = !!exchanges.length || isReplay || !!S.session;
  $("log").hidden = !exchanges.length;
  if (S.session) paintLog($("log"), exchanges, viewOf(S.session, isReplay ? "replay" : "chat"));
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
  document.title = plain(`${active ? (state === "awaiting_approval" ? "Waits for you · " : "… ") : ""}${title.slice(0, 60)} · asst`);
  write($("seq"), String(records[records.length - 1]?.seq || 0));
  $("log").setAttribute("aria-busy", String(active && !isReplay));
  if (isReplay) replay.paintTransport(records, state);
  else {
    if (live) tellTurn(`${S.session?.id}.${live.number}`, TURNING_POINTS[state] || "Working");
    if (live?.settled) fetchCosts(`${exchanges.length}.${live.settled}`);
  }
  return exchanges[S.focus] || live;
}
let told = "";
/** Tell a turning point once, so that what else was said isn't replaced. @param {string} turn @param {string} words */
function tellTurn(turn, words) {
  if (told === turn + words) return;
  told = turn + words;
  say(words);
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
  if (moves) replay.advance(passed);
  const live = S.exchanges[S.exchanges.length - 1];
  const ticks = S.view !== "replay" && ((S.view === "chat" && live && !live.settled) || (S.view === "compare" && isBusy()));
  if (dirty || moves || (ticks && frame - painted > REST)) {
    painted = frame;
    paint(false);
  }
  return moves || !!ticks;
}

/** The first that fits is done. */
const CLICKS = [views, messages, compare, profiles, sessions, replay, panel].flatMap((module) => module.clicks).concat(noticeClicks);

document.addEventListener("click", (e) => {
  for (const [selector, work] of CLICKS) {
    const el = closest(e.target, selector);
    if (!el) continue;
    quietly(() => work(el, e));
    break;
  }
  if (closest(e.target, ".sessions a") || (views.isSideOpen() && !closest(e.target, ".side") && !closest(e.target, "#open-side"))) views.side(false);
});

document.addEventListener("keydown", (e) => {
  const { target } = e;
  const mod = e.ctrlKey || e.metaKey;
  if (mod && e.key === "k") {
    e.preventDefault();
    views.side(true);
    $("find").focus();
  } else if (mod && e.key === "i") {
    e.preventDefault();
    views.panel(!views.isPanelOpen());
  } else if (e.key === "Escape" && views.isSideOpen()) {
    views.side(false);
    box().focus();
  } else if (e.key === "Escape" && target === box()) {
    if (!messages.keepAll() && isBusy()) messages.stop();
  } else if (e.key === "Enter" && !e.shiftKey && !e.isComposing && target === box()) {
    e.preventDefault();
    messages.send();
  } else if (closest(target, ".panel [role=tab]") && /^Arrow(Left|Right)$/.test(e.key)) {
    const other = all(".panel [role=tab]").find((t) => t !== target);
    if (other) views.tab(other);
    other?.focus();
  } else if (target === $("slider") && e.key === " ") {
    e.preventDefault();
    $("play").click();
  } else if (target === $("slider") && /^Page(Up|Down)$/.test(e.key)) {
    e.preventDefault();
    replay.seekTurn(e.key === "PageUp");
  }
});

/** The view follows the end until the reader scrolls up, and again when the end is reached. */
function followEnd() {
  const scroll = $("scroll");
  let top = 0;
  scroll.addEventListener("scroll", () => {
    if (scroll.scrollTop < top - 2) S.stick = false;
    if (scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 40) S.stick = true;
    top = scroll.scrollTop;
  });
  const sizes = new ResizeObserver(() => {
    if (S.stick && S.view !== "compare") scroll.scrollTop = scroll.scrollHeight;
  });
  sizes.observe($("log"));
  sizes.observe(scroll); // a notice above it, a longer message below
}
/** In a narrow window the details would lie over the conversation: they are shut, and come back with the room for them. */
function shutDetailsWhereNarrow() {
  const narrow = matchMedia("(max-width: 1180px)");
  let wasOpen = false;
  const adapt = () => {
    if (narrow.matches) wasOpen = views.isPanelOpen();
    if (narrow.matches || (wasOpen && S.view !== "compare")) views.panel(!narrow.matches);
  };
  narrow.addEventListener("change", adapt);
  adapt();
}

/** For measurements: paint at once. */
Object.assign(window, { paintNow: paint });

async function start() {
  /** @type {import("./script.js").Table & {version: string, profiles: import("./state.js").Profile[]}} */
  const about = await get("/about");
  useScript(about);
  S.profiles = about.profiles;
  S.profile = about.profiles[0]?.name || "";
  $("version").textContent = about.version;
  $("composer").addEventListener("submit", (e) => e.preventDefault());
  box().addEventListener("input", touch);
  addEventListener("resize", touch);
  document.addEventListener("visibilitychange", sessions.list);
  for (const prepare of [followEnd, shutDetailsWhereNarrow, messages.takeFiles, profiles.takeModel, replay.takeSlider, sessions.placePopovers, sessions.takeSearch, panel.linkDrawings, sessions.followAddress]) prepare();
  eachFrame(onFrame);
  profiles.paintPick();
  await Promise.all([sessions.open(location.hash.slice(1)).catch(fail), sessions.list(), quietly(profiles.checkProfiles)]);
  setInterval(sessions.list, 5000);
  box().focus();
}
start().catch(fail);
