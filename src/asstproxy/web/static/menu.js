/** The menu of a session, its dialogs, and where popovers stand. */
import { $, as, put, valueOf } from "./dom.js";
import { say } from "./notices.js";
import { post } from "./server.js";
import { list } from "./sessions.js";
import { S } from "./state.js";
import { esc } from "./words.js";

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
    say("A terminal can open it now");
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

/** @type {import("./dom.js").Click[]} */
export const clicks = [
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
