/** Replay: the session as it was at a record. The track of the slider is the timeline itself. */
import { time } from "./fold.js";
import { $, as, esc, icon, put } from "./html.js";
import { kind } from "./script.js";
import { S, touch } from "./state.js";

const PAUSE = 3000; // ms between two turns from which on the replay goes on with the next

const recorded = () => S.session?.records || [];

export function startReplay() {
  paintTrack();
  rewind();
  S.playing = true;
}
function rewind() {
  const first = recorded()[0];
  seek(0);
  S.clock = first ? time(first) : 0;
}
/** Show so many records. @param {number} n */
export function seek(n) {
  const records = recorded();
  S.n = Math.max(0, Math.min(records.length, n));
  S.clock = S.n ? time(records[S.n - 1]) : 0;
  S.playing = false;
  touch();
}
/** Show the beginning of the turn before or after. @param {boolean} back */
export function seekTurn(back) {
  const records = recorded();
  const starts = records.flatMap((r, i) => (r.type === "set_user_message" ? [i + 1] : []));
  seek(back ? (starts.findLast((n) => n < S.n) ?? 0) : (starts.find((n) => n > S.n) ?? records.length));
}
/** Let time pass. @param {number} ms */
export function advance(ms) {
  const records = recorded();
  S.clock += ms * S.speed;
  while (S.n < records.length && time(records[S.n]) <= S.clock) S.n += 1;
  const next = records[S.n];
  if (next?.type === "set_user_message" && time(next) - S.clock > PAUSE) S.clock = time(next);
  if (!next) S.playing = false;
  touch();
}
/** @param {import("./fold.js").Rec[]} shown @param {string} state */
export function paintTransport(shown, state) {
  const count = recorded().length;
  const slider = as("slider", HTMLInputElement);
  if (slider.max !== String(count)) paintTrack(); // the turn still goes on
  slider.max = String(count);
  slider.value = String(S.n);
  const last = shown[shown.length - 1];
  put($("when"), `${S.n} / ${count}<span> · ${esc(state.replaceAll("_", " "))}${last ? ` · ${new Date(time(last)).toLocaleTimeString()}` : ""}</span>`);
  put($("play"), icon(S.playing ? "pause" : "play"));
  $("play").setAttribute("aria-label", S.playing ? "Pause" : "Play");
  slider.setAttribute("aria-valuetext", `Record ${S.n} of ${count}, ${state}`);
}
function paintTrack() {
  const records = recorded();
  const w = 1000 / Math.max(1, records.length);
  /** @type {string[]} */
  const runs = [];
  let from = 0;
  records.forEach((r, i) => {
    const next = records[i + 1];
    if (next && kind(next.state) === kind(r.state) && next.type !== "set_user_message") return;
    runs.push(`<rect class="${kind(r.state)}" x="${(from * w).toFixed(2)}" width="${((i + 1 - from) * w + 0.3).toFixed(2)}" height="10"/>`);
    if (next?.type === "set_user_message") runs.push(`<rect class="gap" x="${((i + 1) * w - 2).toFixed(2)}" width="4" height="10"/>`);
    from = i + 1;
  });
  $("track").setAttribute("viewBox", "0 0 1000 10");
  put($("track"), runs.join(""));
}
/** The slider and its speed. */
export function takeSlider() {
  const slider = as("slider", HTMLInputElement);
  const speed = as("speed", HTMLSelectElement);
  slider.addEventListener("input", () => seek(Number(slider.value)));
  speed.addEventListener("change", () => {
    S.speed = Number(speed.value);
  });
}

/** @type {import("./html.js").Click[]} */
export const clicks = [
  ["#prev", () => seek(S.n - 1)],
  ["#next", () => seek(S.n + 1)],
  [
    "#play",
    () => {
      const start = !S.playing;
      if (start && S.n >= recorded().length) rewind();
      S.playing = start;
      touch();
    },
  ],
];
