/** Who answers the next message: one profile with its model, or several at once. */
import { $, as, box, esc, icon, put } from "./html.js";
import { get } from "./server.js";
import { S, touch } from "./state.js";

/** @typedef {import("./state.js").Profile} Profile */

const MOST = 4; // assistants side by side: more can't be read at once

/** The profiles that a message goes to. */
export const asked = () => [S.profile, ...S.others];

/** @param {Profile} p */
function rowHTML(p) {
  const name = esc(p.name);
  const isAlso = S.others.includes(p.name);
  const also =
    p.missing || p.name === S.profile
      ? ""
      : `<button class="also" data-also="${name}" aria-pressed="${isAlso}" aria-label="Ask ${name} as well"${!isAlso && asked().length >= MOST ? " disabled" : ""}>${isAlso ? "asked as well" : "ask as well"}</button>`;
  const words = p.missing ? p.hint || p.missing : p.model;
  return `<div class="choice"><button role="radio" aria-checked="${p.name === S.profile}" data-profile="${name}"${p.missing ? " disabled" : ""}><b>${name}</b><span>${esc(words)}</span></button>${also}</div>`;
}
/** @param {Profile} p */
function readyHTML(p) {
  const state = p.missing ? "not ready" : p.missing === "" ? "ready" : "…";
  return `<li><i class="dot${p.missing === "" ? " ok" : ""}"></i><b>${esc(p.name)}</b>${state}<span>${esc(p.missing ? p.hint || p.missing : p.model)}</span></li>`;
}
export function paintPick() {
  const row = S.profiles.find((p) => p.name === S.profile);
  const name = S.others.length ? asked().join(" + ") : S.profile || "no profile";
  put($("pick"), `<i class="dot${row?.missing === "" ? " ok" : ""}"></i><b>${esc(name)}</b><span>${esc(S.others.length ? "" : S.model || row?.model || "")}${S.background ? " · in the background" : ""}</span>${icon("down")}`);
  $("both").setAttribute("aria-pressed", String(!!S.others.length));
  const usable = S.profiles.filter((p) => !p.missing);
  const sorted = [...usable, ...S.profiles.filter((p) => p.missing)];
  put($("profiles"), sorted.map(rowHTML).join(""));
  const model = as("model", HTMLInputElement);
  if (document.activeElement !== model) model.value = S.model;
  model.placeholder = row?.model || "the profile's model";
  put($("ready"), sorted.map(readyHTML).join(""));
  $("none-ready").hidden = usable.length > 0;
  touch();
}
/** Ask one more assistant, or only one again. */
export function toggleComparison() {
  const other = S.profiles.find((p) => !p.missing && p.name !== S.profile);
  if (!S.others.length && !other) throw Object.assign(new Error("No second profile is ready."), { hint: "Run: asst setup" });
  S.others = S.others.length || !other ? [] : [other.name];
  paintPick();
}
/** Which profiles are ready is known a little later than their names: the server tries each of them. */
export async function checkProfiles() {
  S.profiles = await get("/profiles");
  const ready = S.profiles.filter((p) => !p.missing);
  if (ready.length && !S.session && !ready.some((p) => p.name === S.profile)) S.profile = ready[0].name;
  paintPick();
}
/** Another model is written in the field, or the way of working is chosen. */
export function takeModel() {
  const background = as("background", HTMLInputElement);
  background.addEventListener("change", () => {
    S.background = background.checked;
    paintPick();
  });
  const model = as("model", HTMLInputElement);
  model.addEventListener("change", () => {
    S.model = model.value.trim();
    paintPick();
  });
}

/** @type {import("./html.js").Click[]} */
export const clicks = [
  ["#both", toggleComparison],
  [
    "[data-also]",
    (b) => {
      const name = b.dataset.also || "";
      S.others = S.others.includes(name) ? S.others.filter((one) => one !== name) : [...S.others, name];
      paintPick();
      /** @type {HTMLElement | null} */ (document.querySelector(`[data-also="${CSS.escape(name)}"]`))?.focus();
    },
  ],
  [
    "[data-profile]",
    (b) => {
      const name = b.dataset.profile || "";
      if (S.profile !== name) S.model = "";
      S.profile = name;
      S.others = S.others.filter((one) => one !== name);
      $("picker").hidePopover();
      paintPick();
      box().focus();
    },
  ],
  ["[data-pick]", () => $("picker").showPopover()],
];
