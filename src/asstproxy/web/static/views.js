/** The views of the conversation, and the areas next to it: sessions and details. */
import { forgetPainted } from "./conversation.js";
import { $, all, box } from "./html.js";
import { toggleComparison } from "./profiles.js";
import { startReplay } from "./replay.js";
import { S, touch } from "./state.js";

/** Paint everything anew. */
export function repaint() {
  forgetPainted();
  touch();
}
/** @param {string} view */
export function show(view) {
  if (view === "compare" && !S.lanes.length) {
    toggleComparison();
    box().focus();
    return;
  }
  if (view !== "compare" && S.lanes.length) {
    location.hash = S.lanes[S.lane].id;
    return;
  }
  if (view === "replay" && !S.session) return;
  setView(/** @type {typeof S.view} */ (view));
  if (view === "replay") startReplay();
}
/** @param {typeof S.view} view */
export function setView(view) {
  S.view = view;
  S.focus = -1;
  S.playing = false;
  $("app").dataset.view = view;
  for (const b of all("button[data-view]")) b.setAttribute("aria-pressed", String(b.dataset.view === view));
  $("log").hidden = view === "compare";
  $("duel").hidden = view !== "compare";
  if (view === "compare") $("blank").hidden = true;
  $("composer").hidden = view === "replay";
  $("transport").hidden = view !== "replay";
  $("now").hidden = view === "compare";
  if (view === "compare") panel(false);
  repaint();
}
/** @param {boolean} open */
export function panel(open) {
  $("app").dataset.panel = open ? "open" : "closed";
  $("toggle-panel").setAttribute("aria-expanded", String(open));
  touch();
}
/** What needs a session can't be chosen without one. @param {boolean} isOpen */
export function offerSession(isOpen) {
  for (const b of all("[data-menu], button[data-view=replay]")) b.toggleAttribute("disabled", !isOpen);
}
export const isPanelOpen = () => $("app").dataset.panel !== "closed";
/** The list of sessions, which is always shown in a wide window. @param {boolean} open */
export function side(open) {
  if (open && innerWidth > 760) return;
  $("app").dataset.side = open ? "open" : "";
  $("open-side").setAttribute("aria-expanded", String(open));
}
export const isSideOpen = () => $("app").dataset.side === "open";
/** Choose a tab of the details. @param {HTMLElement} chosen */
export function tab(chosen) {
  for (const t of all("[role=tab]", $("panel"))) {
    t.setAttribute("aria-selected", String(t === chosen));
    t.tabIndex = t === chosen ? 0 : -1;
    $(t.getAttribute("aria-controls") || "").hidden = t !== chosen;
  }
  touch();
}

/** @type {import("./html.js").Click[]} */
export const clicks = [
  [
    "button[data-view]",
    (b) => {
      $("menu").hidePopover();
      show(b.dataset.view || "chat");
    },
  ],
  ["#toggle-panel", () => panel(!isPanelOpen())],
  [
    "#close-panel",
    () => {
      panel(false);
      $("toggle-panel").focus();
    },
  ],
  [
    "#open-side",
    () => {
      side(!isSideOpen());
      if (isSideOpen()) $("find").focus();
    },
  ],
  [".panel [role=tab]", tab],
];
