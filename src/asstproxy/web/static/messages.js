/** Messages of the person: written with files, sent to one assistant or to several, stopped, repeated, edited; and answers to the System's questions. */
import { exchangeAround } from "./conversation.js";
import { answers, filesOf } from "./fold.js";
import { $, all, as, box, bytes, closest, esc, icon, plain, put, write } from "./html.js";
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
    await quietly(async () => S.files.push({ name: file.name || "pasted", size: file.size, data: await base64(file) }));
  }
  touch();
}
function paintFiles() {
  const files = [...S.again, ...S.files];
  $("files").hidden = !files.length;
  put($("files"), files.map((f, i) => `<li><b>${esc(f.name)}</b> ${f.size ? bytes(f.size) : ""}<button type="button" data-unattach="${i}" aria-label="Remove ${esc(f.name)}">${icon("x")}</button></li>`).join(""));
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
    const types = e.clipboardData?.types || [];
    // Office programs add a picture of the text that was copied. A picture comes with HTML only, a file with its name.
    if (!pasted.length || (types.includes("text/plain") && types.includes("text/html"))) return;
    e.preventDefault();
    quietly(() => attach(pasted));
  });
}

/** @typedef {import("./fold.js").Exchange} Exchange @typedef {import("./server.js").Session} Session @typedef {{session: string}} Made */

/** @typedef {{text: string, files: import("./state.js").NewFile[], again: import("./fold.js").Attachment[], keep: number | undefined}} Draft a message as it was written */

/** Take what was written; the box is free for the next message. @returns {Draft} */
function takeDraft() {
  const draft = { text: box().value, files: S.files, again: S.again, keep: S.keep };
  box().value = "";
  Object.assign(S, { files: [], again: [], keep: undefined });
  return draft;
}
/** Put back what couldn't be sent, before what was written meanwhile. @param {Draft} draft @param {boolean} isHere in the session for which it was written */
function putBack({ text, files, again, keep }, isHere) {
  box().value = [text, box().value].filter(Boolean).join("\n");
  S.files = [...files, ...S.files];
  if (isHere) Object.assign(S, { again, keep });
}
export async function send() {
  if (!box().value.trim() || S.sending || isBusy()) return;
  const place = location.hash;
  const draft = takeDraft();
  S.sending = true;
  touch();
  try {
    const made = await sendDraft(draft);
    if (location.hash !== place) return; // the person has gone elsewhere
    S.stick = true;
    S.focus = -1;
    if (made.length) await quietly(() => openNew(made));
  } catch (error) {
    putBack(draft, location.hash === place);
    fail(error);
  } finally {
    S.sending = false;
    touch();
    list();
  }
}
/** Returns the sessions that are to be opened; none: those that are open. @param {Draft} draft @returns {Promise<string[]>} */
async function sendDraft({ text, files, again, keep }) {
  const message = { text, files, again: again.map((f) => f.sha256), background: S.background, ...(keep === undefined ? {} : { keep }) };
  if (S.lanes.length) {
    await sendToEach(S.lanes.map((lane) => ({ ...message, session: lane.id })));
    return [];
  }
  const from = S.session?.id || "";
  if (S.others.length) return sendToAll(from, message);
  const made = await sendToEach([{ ...message, session: from, profile: S.profile, model: S.model }]);
  return made[0] === from ? [] : made;
}
/** The same message to several assistants at once; each answers in a session of its own, with the same past. @param {string} from @param {object} message */
async function sendToAll(from, message) {
  /** @type {Made[]} */
  const copies = from ? await Promise.all(S.others.map(() => post(`/sessions/${from}/fork`))) : [];
  const places = [from, ...copies.map((copy) => copy.session)];
  const made = await sendToEach(asked().map((profile, i) => ({ ...message, session: places[i] || "", profile, model: i ? "" : S.model })));
  for (const copy of copies) if (!made.includes(copy.session)) quietly(() => post(`/sessions/${copy.session}/delete`));
  return made;
}
/** Returns the sessions that have taken the message; the refusal of another is one line, unless all have refused it. @param {object[]} messages */
async function sendToEach(messages) {
  /** @type {PromiseSettledResult<Made>[]} */
  const results = await Promise.allSettled(messages.map((message) => post("/messages", message)));
  const made = results.flatMap((r) => (r.status === "fulfilled" ? [r.value.session] : []));
  const refused = results.find((r) => r.status === "rejected");
  if (refused && !made.length) throw refused.reason;
  if (refused) fail(refused.reason);
  return made;
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
  if (what === "copy") await copy(answers(x).map((p) => p.text).join("\n\n"));
  if (what === "fork") {
    /** @type {Made} */
    const made = await post(`/sessions/${session.id}/fork`, { keep: x.number + 1 });
    location.hash = made.session;
  }
  if (what === "retry") {
    await post("/messages", { text: x.text, session: session.id, profile: S.profile, model: S.model, keep: x.keep, again: filesOf(x).map((f) => f.sha256), background: S.background });
    S.stick = true;
  }
  if (what === "edit") {
    box().value = x.text;
    S.keep = x.keep;
    S.again = filesOf(x);
    box().focus();
    touch();
  }
}
/** @param {string} text */
async function copy(text) {
  await navigator.clipboard.writeText(plain(text)); // it may be pasted into a terminal
  tell("Copied");
}
/**
 * Answer whether a call may run: a click on its button, and nothing else.
 * @param {Session} session @param {HTMLElement} button
 */
async function decide(session, button) {
  const { id = "", decide: answer = "" } = button.dataset;
  const card = closest(button, ".card");
  const area = card?.querySelector("[data-arguments]");
  const own = area instanceof HTMLTextAreaElement ? { arguments: area.value } : {};
  const asked = session.status.asked || [];
  /** What was chosen for a question that is over doesn't count. @type {typeof session.chosen} */
  const choices = {};
  for (const a of asked) if (session.chosen[a.id]) choices[a.id] = session.chosen[a.id];
  choices[id] = { answer, ...own };
  if (asked.every((a) => choices[a.id])) {
    try {
      await post(`/sessions/${session.id}/approval`, { answers: choices });
      session.chosen = {};
      box().focus();
    } catch (error) {
      const problem = card?.querySelector("[data-problem]");
      if (!problem || !(error instanceof Error)) throw error;
      problem.textContent = error.message;
      problem.toggleAttribute("hidden", false);
      return;
    }
  } else session.chosen = choices;
  if (session.editing === id) session.editing = "";
  repaint();
}
export function paintDock() {
  paintFiles();
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
      const at = Number(b.dataset.unattach);
      if (at < S.again.length) S.again.splice(at, 1);
      else S.files.splice(at - S.again.length, 1);
      box().focus();
      touch();
    },
  ],
  ["[data-decide]", (b) => around(b, (_, session) => decide(session, b))],
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
