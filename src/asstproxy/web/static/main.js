/** The page starts here: what a click and a key do, and the first painting. */
import * as compare from "./compare.js";
import { $, all, box, closest } from "./dom.js";
import * as files from "./files.js";
import * as menu from "./menu.js";
import * as messages from "./messages.js";
import * as notices from "./notices.js";
import { onFrame, paint } from "./page.js";
import * as panel from "./panel.js";
import * as profiles from "./profiles.js";
import * as replay from "./replay.js";
import { useScript } from "./script.js";
import { get } from "./server.js";
import * as sessions from "./sessions.js";
import { S, eachFrame, isBusy, touch } from "./state.js";
import * as views from "./views.js";

/** The first that fits is done. */
const CLICKS = [views, messages, compare, profiles, menu, files, replay, panel, sessions, notices].flatMap((module) => module.clicks);

document.addEventListener("click", (e) => {
  for (const [selector, work] of CLICKS) {
    const el = closest(e.target, selector);
    if (!el) continue;
    notices.quietly(() => work(el, e));
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
  new ResizeObserver(() => {
    if (S.stick && S.view !== "compare") scroll.scrollTop = scroll.scrollHeight;
  }).observe($("log"));
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
  for (const prepare of [followEnd, shutDetailsWhereNarrow, files.takeFiles, profiles.takeModel, replay.takeSlider, menu.placePopovers, menu.takeSearch, panel.linkDrawings, sessions.followAddress]) prepare();
  eachFrame(onFrame);
  profiles.paintPick();
  await Promise.all([sessions.open(location.hash.slice(1)).catch(notices.fail), sessions.list(), notices.quietly(profiles.checkProfiles)]);
  setInterval(sessions.list, 5000);
  box().focus();
}
start().catch(notices.fail);
