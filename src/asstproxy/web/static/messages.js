/** Messages of the person: written with files, sent to one assistant or to several, stopped, repeated, edited; and answers to the System's questions. */
import { exchangeAround } from "./conversation.js";
import { answers, filesOf } from "./fold.js";
import { $, all, as, box, bytes, closest, esc, icon, put, write } from "./html.js";
import { asked } from "./profiles.js";
import { post } from "./server.js";
import { list, openNew } from "./sessions.js";
import { fail, holder, isBusy, quietly, S, shownSessions, tell, touch } from "./state.js";
import { panel, repaint, tab } from "./views.js";

const MOST = 48e6; // bytes of all files of a message, which the server takes in base64

/** @param {File} file @returns {Promise<string>} its content in base64 */
function base64(file) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result).replace(/^[^,]*,/, ""));
    reader.onerror = () => failed(new Error(`${file.name} can't be read.`));
    reader.readAsDataURL(file);
  });
}
/** @param {Iterable<File>} chosen */
async function attach(chosen) {
  for (const file of chosen) {
    if (S.files.reduce((sum, one) => sum + one.size, file.size) > MOST) {
      fail({ message: `${file.name} is too large: the files of a message have ${bytes(MOST)} at most.`, hint: "In a terminal: asst ask -a FILE" });
      continue;
    }
    S.files.push({ name: file.name || "pasted", size: file.size, data: await base64(file) });
  }
  paintFiles();
}
export function paintFiles() {
  $("files").hidden = !S.files.length;
  put($("files"), S.files.map((f, i) => `<li><b>${esc(f.name)}</b> ${bytes(f.size)}<button type="button" data-unattach="${i}" aria-label="Remove ${esc(f.name)}">${icon("x")}</button></li>`).join(""));
  touch();
}
/** Take files from the button, from a drop anywhere, and from the clipboard. */
export function takeFiles() {
  const choose = as("choose", HTMLInputElement);
  choose.addEventListener("change", () => {
    const chosen = [...(choose.files || [])];
    choose.value = "";
    quietly(() => attach(chosen));
  });
  /** @param {DragEvent} e */
  const drag = (e) => {
    if (!e.dataTransfer?.types.includes("Files")) return;
    e.preventDefault();
    $("composer").classList.toggle("drop", e.type === "dragover");
    const dropped = e.type === "drop" ? [...e.dataTransfer.files] : [];
    quietly(() => attach(dropped));
  };
  document.addEventListener("dragover", drag);
  document.addEventListener("dragleave", drag);
  document.addEventListener("drop", drag);
  box().addEventListener("paste", (e) => {
    const pasted = [...(e.clipboardData?.files || [])];
    if (!pasted.length) return;
    e.preventDefault();
    quietly(() => attach(pasted));
  });
}

/** @typedef {import("./fold.js").Exchange} Exchange @typedef {import("./server.js").Session} Session @typedef {{session: string}} Made */

export async function send() {
  const text = box().value;
  if (!text.trim() || S.sending || isBusy()) return;
  S.sending = true;
  touch();
  try {
    if (S.lanes.length) await sendOn(text);
    else if (S.others.length) await sendToAll(text);
    else await sendToOne(text);
    box().value = "";
    S.keep = undefined;
    S.files = [];
    S.again = [];
    paintFiles();
    S.stick = true;
    S.focus = -1;
    list();
  } catch (error) {
    fail(error);
  } finally {
    S.sending = false;
    touch();
  }
}
/** @param {string} text */
async function sendToOne(text) {
  const keep = S.keep === undefined ? {} : { keep: S.keep };
  /** @type {Made} */
  const { session } = await post("/messages", { text, session: S.session?.id || "", profile: S.profile, model: S.model, files: S.files, again: S.again, background: S.background, ...keep });
  if (session !== S.session?.id) await openNew([session]);
}
/** The same message to several assistants at once; each answers in a session of its own, with the same past. @param {string} text */
async function sendToAll(text) {
  const from = S.session?.id || "";
  /** @type {Made[]} */
  const copies = from ? await Promise.all(S.others.map(() => post(`/sessions/${from}/fork`))) : [];
  const places = [from, ...copies.map((copy) => copy.session)];
  /** @type {Made[]} */
  const made = await Promise.all(
    asked().map((profile, i) => post("/messages", { text, session: places[i] || "", profile, model: i ? "" : S.model, files: S.files, again: S.again, background: S.background })),
  );
  await openNew(made.map((one) => one.session));
}
/** The next message of a comparison goes to all of its sessions. @param {string} text */
async function sendOn(text) {
  await Promise.all(S.lanes.map((lane) => post("/messages", { text, session: lane.id, files: S.files, background: S.background })));
}
export function stop() {
  for (const session of shownSessions()) if (session.status.busy) quietly(() => post(`/sessions/${session.id}/stop`));
}
/** Leave what is edited as it is; says whether something was edited. */
export function keepAll() {
  if (S.keep === undefined) return false;
  S.keep = undefined;
  S.again = [];
  box().value = "";
  touch();
  return true;
}
/** @param {Exchange} x @param {string} what @param {Session} session */
async function act(x, what, session) {
  const again = filesOf(x).map((f) => f.sha256);
  if (what === "copy") await copy(answers(x).map((p) => p.text).join("\n\n"));
  if (what === "fork") {
    /** @type {Made} */
    const made = await post(`/sessions/${session.id}/fork`, { keep: x.number + 1 });
    location.hash = made.session;
  }
  if (what === "retry") {
    await post("/messages", { text: x.text, session: session.id, profile: S.profile, model: S.model, keep: x.keep, again, background: S.background });
    S.stick = true;
  }
  if (what === "edit") {
    box().value = x.text;
    S.keep = x.keep;
    S.again = again;
    box().focus();
    touch();
  }
}
/** @param {string} text */
async function copy(text) {
  await navigator.clipboard.writeText(text);
  tell("Copied");
}
/** Answer whether a call may run: a click on its button, and nothing else. @param {Session} session @param {string} call @param {string} answer */
async function decide(session, call, answer) {
  const area = document.querySelector("[data-arguments]");
  const own = session.editing === call && area instanceof HTMLTextAreaElement ? { arguments: area.value } : {};
  const choices = { ...session.chosen, [call]: { answer, ...own } };
  if ((session.status.asked || []).every((a) => choices[a.call_id])) {
    try {
      await post(`/sessions/${session.id}/approval`, { answers: choices });
      session.chosen = {};
      box().focus();
    } catch (error) {
      const problem = document.querySelector("[data-problem]");
      if (!problem || !(error instanceof Error)) throw error;
      problem.textContent = error.message;
      problem.toggleAttribute("hidden", false);
      return;
    }
  } else session.chosen = choices;
  session.editing = "";
  repaint();
}
export function paintDock() {
  const running = isBusy();
  const elsewhere = holder();
  const button = as("send", HTMLButtonElement);
  const name = running ? "stop" : "send";
  if (button.dataset.is !== name) {
    button.dataset.is = name;
    button.className = `send${running ? " stop" : ""}`;
    put(button, icon(name));
    button.setAttribute("aria-label", running ? "Stop" : "Send");
  }
  button.disabled = !running && (S.sending || !!elsewhere || !box().value.trim());
  box().disabled = !!elsewhere;
  box().placeholder = elsewhere ? "Open elsewhere" : "Ask, or drop a file";
  const words = hint(running, elsewhere);
  write($("hint"), words);
  $("hint").classList.toggle("usual", words === USUAL);
}
const USUAL = "Enter sends · Shift Enter makes a new line";
/** @param {boolean} running @param {string} elsewhere */
function hint(running, elsewhere) {
  if (elsewhere) return `Open in ${elsewhere}: this page follows it`;
  if (S.keep !== undefined) return "Replaces the turns from here on · Esc cancels";
  if (shownSessions().some((s) => s.status.asked?.length)) return "Your approval is needed above · Esc stops";
  if (running) return "Esc stops";
  if (S.lanes.length) return "Goes to all of them";
  if (S.others.length) return `Asks ${asked().slice(0, -1).join(", ")} and ${asked().at(-1)}`;
  return USUAL;
}

/** The exchange around an element, and its session. @param {HTMLElement} el @param {(x: Exchange, session: Session) => unknown} work */
const around = (el, work) => {
  const found = exchangeAround(el);
  return found && work(found.exchange, found.session);
};
/** @type {import("./html.js").Click[]} */
export const clicks = [
  ["#attach", () => $("choose").click()],
  [
    "[data-unattach]",
    (b) => {
      S.files.splice(Number(b.dataset.unattach), 1);
      paintFiles();
      box().focus();
    },
  ],
  ["[data-decide]", (b) => around(b, (_, session) => decide(session, b.dataset.call || "", b.dataset.decide || ""))],
  [
    "[data-edit]",
    (b) =>
      around(b, (_, session) => {
        session.editing = b.dataset.edit || "";
        repaint();
        requestAnimationFrame(() => all("[data-arguments]")[0]?.focus());
      }),
  ],
  [
    "[data-undecide]",
    (b) =>
      around(b, (_, session) => {
        delete session.chosen[b.dataset.undecide || ""];
        repaint();
      }),
  ],
  [
    "#send",
    (_, e) => {
      e.preventDefault();
      return isBusy() ? stop() : send();
    },
  ],
  [
    "[data-copy]",
    async (b) => {
      await copy(closest(b, ".code")?.querySelector("pre")?.textContent || "");
      b.setAttribute("aria-label", "Copied");
    },
  ],
  ["[data-act]", (b) => around(b, (x, session) => act(x, b.dataset.act || "", session))],
  [
    "[data-show]",
    (b) =>
      around(b, (x, session) => {
        if (S.lanes.length) S.lane = S.lanes.indexOf(session);
        else S.focus = x.number;
        panel(true);
        tab($("t-ex"));
      }),
  ],
];
