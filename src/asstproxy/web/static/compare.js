/** Several assistants that answer the same message, side by side; one at a time, with tabs, where there is no room. */
import { fileHTML, paintLog, viewOf } from "./conversation.js";
import { bars, pathHTML } from "./draw.js";
import { answers, filesOf, fold } from "./fold.js";
import { $, all, count, esc, ms, plain, put, write } from "./html.js";
import { S, say, touch } from "./state.js";

/** @typedef {import("./fold.js").Exchange} Exchange */

const LEAST = 3000; // ms that the time scale shows at least
const NARROW = 300; // pixels: narrower lanes are shown one at a time

/** @param {Exchange} x */
const firstWord = (x) => (x.path.find((p) => p.state === "streaming")?.from || x.end) - x.start;
/** Characters of the answer so far. @param {Exchange} x */
const written = (x) => answers(x).reduce((sum, p) => sum + p.text.length, 0);
/** The names of lanes: two of one name have their models added. @param {Exchange[]} lanes */
function names(lanes) {
  return lanes.map((x) => (lanes.filter((y) => y.profile === x.profile).length > 1 && x.model ? `${x.profile} ${x.model}` : x.profile));
}
/** "a, b and c" @param {string[]} list */
const joined = (list) => (list.length > 1 ? `${list.slice(0, -1).join(", ")} and ${list.at(-1)}` : list.join(""));

/** Paint the comparison; returns the exchange whose details are shown. */
export function paintLanes() {
  const shown = S.lanes.map((lane) => fold(lane.records, Date.now()).at(-1)).filter((x) => x !== undefined);
  if (!shown.length || shown.length < S.lanes.length) return undefined;
  const span = Math.max(LEAST, ...shown.map((x) => x.end - x.start)) * 1.04;
  const called = names(shown);
  build(shown, called);
  put($("duel-said"), esc(shown[0].text) + filesOf(shown[0]).map((f) => fileHTML(S.lanes[0].id, f)).join(""));
  $("duel").classList.toggle("tabbed", $("duel").clientWidth < NARROW * shown.length);
  const tabs = all(".race button");
  const lanes = all(".lane");
  shown.forEach((x, i) => {
    paintTab(tabs[i], x, called[i], i, span);
    paintLane(lanes[i], x, i);
  });
  write($("title"), shown[0].text.slice(0, 120));
  document.title = plain(`${shown.every((x) => x.settled) ? "" : "… "}${shown[0].text.slice(0, 60)} · asst`);
  write($("seq"), String(S.lanes.reduce((sum, lane) => sum + lane.records.length, 0)));
  const waiting = S.lanes.some((lane) => lane.status.asked?.length);
  say(waiting ? "Your approval is needed" : shown.every((x) => x.settled) ? "All have answered" : "All are answering");
  return shown[S.lane];
}
/** The elements, made anew when other sessions are compared. @param {Exchange[]} shown @param {string[]} called */
function build(shown, called) {
  const duel = $("duel");
  const key = [...S.lanes.map((lane) => lane.id), ...called].join();
  if (duel.dataset.key === key) return;
  duel.dataset.key = key;
  duel.dataset.lanes = String(shown.length);
  duel.innerHTML =
    `<div class="ask-both"><div class="who"><b>You</b> to ${esc(joined(called))}</div><div class="said" id="duel-said" dir="auto"></div></div>` +
    `<div class="race" role="group" aria-label="All on one time scale">${shown.map((_, i) => `<button data-lane="${i}"></button>`).join("")}</div>` +
    `<div class="lanes">${called
      .map(
        (name, i) =>
          `<section class="lane" aria-label="${esc(name)}" data-lane="${i}"><div class="who"><b>${esc(shown[i].profile)}</b><span></span><time></time></div>` +
          `<ol class="path" aria-label="The path of ${esc(name)}"></ol><div class="lane-log" role="log" aria-live="polite" aria-label="Answer of ${esc(name)}"></div><div class="keep"></div></section>`,
      )
      .join("")}</div>`;
}
/** @param {HTMLElement} tab @param {Exchange} x @param {string} name @param {number} i @param {number} span */
function paintTab(tab, x, name, i, span) {
  tab.setAttribute("aria-pressed", String(i === S.lane));
  const asks = S.lanes[i].status.asked?.length;
  const words = asks ? "waits for you" : written(x) ? `${ms(firstWord(x))} to the first word` : x.settled && x.settled !== "completed" ? x.settled : "";
  put(tab, `<span class="name">${esc(name)}</span><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">${bars(x, 100, span)}</svg><span class="${asks ? "ask" : ""}">${words}</span><b>${ms(x.end - x.start)}</b>`);
}
/** @param {HTMLElement} lane @param {Exchange} x @param {number} i */
function paintLane(lane, x, i) {
  lane.classList.toggle("chosen", i === S.lane);
  const length = written(x);
  const part = (/** @type {string} */ selector) => /** @type {Element} */ (lane.querySelector(selector));
  write(part(".who span"), x.model);
  const seconds = Math.max(0.3, (x.end - x.start - firstWord(x)) / 1000);
  write(part(".who time"), length ? `${count(Math.round(length / seconds))} characters/s` : "");
  put(part(".path"), pathHTML(x, lane.clientWidth - 40 || 300));
  paintLog(part(".lane-log"), [x], viewOf(S.lanes[i], "lane"));
  put(part(".keep"), x.settled ? `<button class="btn" data-keep="${i}">Continue with ${esc(x.profile)}</button><span>${length ? `${count(length)} characters` : ""}</span>` : "");
}
/** @param {HTMLElement} el */
function choose(el) {
  S.lane = Number(el.dataset.lane);
  touch();
}

/** @type {import("./html.js").Click[]} */
export const clicks = [
  [
    "[data-keep]",
    (b) => {
      S.others = [];
      location.hash = S.lanes[Number(b.dataset.keep)].id;
    },
  ],
  [".race [data-lane]", choose],
  [".lane a, .lane summary, .lane textarea", () => undefined],
  [".lane[data-lane]", choose],
];
