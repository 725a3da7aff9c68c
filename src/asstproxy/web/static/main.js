/** The page: what is shown, and what a click or a key does. */
import { fileHTML, paintAnswer, paintLog, put } from "./conversation.js";
import { bars, pathHTML } from "./draw.js";
import { fold, time } from "./fold.js";
import { refresh } from "./list.js";
import { openRecord, paintPanel } from "./panel.js";
import { $, SETTLED, bytes, esc, icon, kind, ms, useScript } from "./script.js";
import { Session, get, post } from "./server.js";

/** @typedef {import("./fold.js").Exchange} Exchange @typedef {import("./server.js").Profile} Profile */

const S = {
  view: "chat", // chat, compare, replay
  /** @type {any} */ about: { profiles: [] },
  /** @type {Session | undefined} */ session: undefined,
  /** @type {Session[]} */ duel: [],
  lane: 0,
  focus: -1, // the exchange whose details are shown; -1: the newest
  profile: "",
  model: "",
  second: "",
  /** @type {{name: string, size: number, data: string}[]} */ files: [], // of the message that is written
  /** @type {string[]} */ again: [], // SHA-256 of files of the message that is edited
  /** @type {string[]} */ costs: [],
  costed: "",
  /** @type {Record<string, any>} */ chosen: {},
  editing: "",
  /** @type {number | undefined} */ keep: undefined, // the message in the box replaces the turns from here on
  sending: false,
  n: 0, // replay: records shown
  playing: false,
  clock: 0,
  speed: 1,
  rows: 400,
};
/** @type {Exchange[]} */
let exchanges = [];
let dirty = true;
let stick = true;
let before = 0;
let painted = 0;
let asked = 0; // the frame that was asked for

const say = (/** @type {string} */ text) => {
  if ($("status").textContent !== text) $("status").textContent = text;
};
/** Paint with the next frame; a page on which nothing changes asks for none. */
const touch = () => {
  dirty = true;
  if (!asked) asked = requestAnimationFrame(tick);
};
const busy = () => !!S.session?.status.busy || S.duel.some((d) => d.status.busy);
const elsewhere = () => (S.session && !S.session.status.live ? S.session.status.holder || "" : "");

/** One line about a failure. @param {any} error */
function fail(error) {
  put($("fault"), `<i class="dot bad"></i><span>${esc(error.message || error)} ${esc(error.hint || "")}</span><button class="link" id="shut">Close</button>`);
  $("fault").hidden = false;
}
const quietly = (/** @type {() => Promise<any>} */ work) => work().catch(fail);

// ---- sessions ------------------------------------------------------------------------------------------------------------

function leave() {
  S.session?.close();
  for (const d of S.duel) d.close();
  S.session = undefined;
  S.duel = [];
  exchanges = [];
  S.chosen = {};
  S.editing = "";
  S.keep = undefined;
  S.focus = -1;
  S.costs = [];
  S.costed = "";
}
/** @param {string} id */
async function open(id) {
  leave();
  stick = true;
  show("chat", false);
  if (!id) {
    touch();
    return;
  }
  const session = new Session(id, touch, () => {
    location.hash = "";
    fail({ message: "This session was deleted." });
  });
  S.session = session;
  try {
    await session.load();
  } catch (error) {
    if (S.session === session) S.session = undefined;
    session.close();
    fail(error);
    location.hash = "";
    return;
  }
  const last = session.records[session.records.length - 1];
  const configured = session.records.findLast((r) => r.type === "configured");
  if (configured) {
    S.profile = configured.profile || S.profile;
    S.model = configured.model || "";
  }
  if (last && !session.status.live && !session.status.holder && !SETTLED.has(last.state) && last.state !== "new") await quietly(() => post(`/sessions/${session.id}/resume`));
  paintPick();
  touch();
}
async function list() {
  if (!document.hidden) await refresh(S.session?.id || "").catch(() => undefined);
}

// ---- sending -------------------------------------------------------------------------------------------------------------

async function send() {
  const box = $("say");
  const text = box.value;
  if (!text.trim() || S.sending || busy()) return;
  S.sending = true;
  touch();
  try {
    if (S.second) await sendBoth(text);
    else {
      const body = { text, session: S.session?.id || "", profile: S.profile, model: S.model, files: S.files, again: S.again, ...(S.keep === undefined ? {} : { keep: S.keep }) };
      const { session } = await post("/messages", body);
      if (session !== S.session?.id) {
        history.pushState(null, "", `#${session}`);
        await open(session);
      }
    }
    box.value = "";
    S.keep = undefined;
    S.files = [];
    S.again = [];
    paintFiles();
    stick = true;
    S.focus = -1;
    list();
  } catch (error) {
    fail(error);
  } finally {
    S.sending = false;
    touch();
  }
}
/** The same message to two assistants at once; each answers in a session of its own, with the same past. @param {string} text */
async function sendBoth(text) {
  const from = S.session?.id || "";
  const other = from ? (await post(`/sessions/${from}/fork`, {})).session : "";
  const ids = await Promise.all([
    post("/messages", { text, session: from, profile: S.profile, model: S.model, files: S.files }),
    post("/messages", { text, session: other, profile: S.second, files: S.files }),
  ]);
  leave();
  S.duel = ids.map((found) => new Session(found.session, touch, touch));
  await Promise.all(S.duel.map((d) => d.load()));
  show("compare", false);
}
function stop() {
  for (const session of S.duel.length ? S.duel : [S.session]) if (session?.status.busy) quietly(() => post(`/sessions/${session.id}/stop`));
}
/** @param {Exchange} x @param {string} what */
async function act(x, what) {
  const id = S.session?.id || "";
  if (what === "copy") await copy(x.parts.filter((p) => p.part === "answer").map((p) => p.text).join("\n\n"));
  if (what === "fork") {
    const { session } = await post(`/sessions/${id}/fork`, { keep: x.number + 1 });
    location.hash = session;
  }
  if (what === "retry") {
    await post("/messages", { text: x.text, session: id, profile: S.profile, model: S.model, keep: x.keep, again: x.parts[0].files.map((/** @type {any} */ f) => f.sha256) });
    stick = true;
  }
  if (what === "edit") {
    $("say").value = x.text;
    S.keep = x.keep;
    S.again = x.parts[0].files.map((/** @type {any} */ f) => f.sha256);
    $("say").focus();
    touch();
  }
}
/** @param {string} text */
async function copy(text) {
  await navigator.clipboard.writeText(text);
  say("Copied");
}

// ---- files -----------------------------------------------------------------------------------------------------------------

const MOST = 48e6; // bytes of all files of a message, which the server takes in base64
/** @param {Iterable<File>} chosen */
async function attach(chosen) {
  for (const file of chosen) {
    if (S.files.reduce((sum, one) => sum + one.size, file.size) > MOST) {
      fail({ message: `${file.name} is too large: the files of a message have ${bytes(MOST)} at most.`, hint: "In a terminal: asst ask -a FILE" });
      continue;
    }
    /** @type {string} */
    const address = await new Promise((done, failed) => {
      const reader = new FileReader();
      reader.onload = () => done(String(reader.result));
      reader.onerror = () => failed(new Error(`${file.name} can't be read.`));
      reader.readAsDataURL(file);
    });
    S.files.push({ name: file.name || "pasted", size: file.size, data: address.slice(address.indexOf(",") + 1) });
  }
  paintFiles();
}
function paintFiles() {
  $("files").hidden = !S.files.length;
  put($("files"), S.files.map((f, i) => `<li><b>${esc(f.name)}</b> ${bytes(f.size)}<button type="button" data-unattach="${i}" aria-label="Remove ${esc(f.name)}">${icon("x")}</button></li>`).join(""));
  touch();
}
/** Money is computed by the server, when an exchange is over. @param {string} key */
async function fetchCosts(key) {
  if (S.costed === key || !S.session) return;
  S.costed = key;
  const session = S.session;
  const costs = await get(`/sessions/${session.id}/costs`).catch(() => []);
  if (S.session === session) {
    S.costs = costs;
    touch();
  }
}

// ---- approval: a click on its button, and nothing else ---------------------------------------------------------------------

/** @param {string} call @param {string} answer */
async function decide(call, answer) {
  const asked = S.session?.status.asked || [];
  const area = /** @type {any} */ (document.querySelector("[data-arguments]"));
  const own = S.editing === call && area ? { arguments: area.value } : {};
  const choices = { ...S.chosen, [call]: { answer, ...own } };
  if (asked.every((/** @type {any} */ a) => choices[a.call_id])) {
    try {
      await post(`/sessions/${S.session?.id}/approval`, { answers: choices });
      S.chosen = {};
      S.editing = "";
      $("say").focus();
    } catch (error) {
      const problem = document.querySelector("[data-problem]");
      if (problem) {
        problem.textContent = String(/** @type {any} */ (error).message);
        problem.toggleAttribute("hidden", false);
      } else fail(error);
      return;
    }
  } else {
    S.chosen = choices;
    S.editing = "";
  }
  repaint();
}
/** Paint exchanges anew whose records have not changed. */
function repaint() {
  for (const el of $("log").children) el.painted = "";
  touch();
}

// ---- painting ------------------------------------------------------------------------------------------------------------

const shown = () => (S.view === "replay" ? (S.session?.records || []).slice(0, S.n) : S.session?.records || []);

function paint() {
  if (S.view === "compare" && S.duel.length) {
    paintDuel();
    return;
  }
  const records = shown();
  const now = S.view === "replay" ? S.clock : Date.now();
  exchanges = fold(records, now);
  const live = exchanges[exchanges.length - 1];
  const x = exchanges[S.focus] || live;
  const state = live?.path[live.path.length - 1]?.state || "new";
  const active = !!live && !live.settled;
  $("blank").hidden = !!exchanges.length || S.view === "replay";
  $("log").hidden = !exchanges.length;
  const view = { asked: S.session?.status.asked || [], replay: S.view === "replay", chosen: S.chosen, editing: S.editing, costs: S.costs, files: (/** @type {any} */ f) => fileHTML(S.session?.id || "", f) };
  paintLog($("log"), exchanges, view, (e, p) => S.session?.blocks.upTo(e.number, p.number, p.text.length) || { shown: [], end: 0 });
  if (stick) $("scroll").scrollTop = $("scroll").scrollHeight;
  $("now").hidden = !live;
  if (live) {
    put($("path"), pathHTML(live, $("path").clientWidth || 600));
    put($("clock"), ms(live.end - live.start));
  }
  const title = S.session?.records.findLast((r) => r.type === "titled")?.title || exchanges[0]?.text || "New session";
  if ($("title").textContent !== title.slice(0, 120)) $("title").textContent = title.slice(0, 120);
  document.title = `${active ? (state === "awaiting_approval" ? "Waits for you · " : "… ") : ""}${title.slice(0, 60)} · asst`;
  $("seq").textContent = String(records.length ? records[records.length - 1].seq : 0);
  $("log").setAttribute("aria-busy", String(active && S.view !== "replay"));
  if (S.view !== "replay" && live) say({ awaiting_approval: "Your approval is needed", streaming: "Answering", completed: "Answered", cancelled: "Stopped", error: "It failed", incomplete: "Cut short" }[state] || "Working");
  paintDock();
  paintNotice();
  if (S.view === "replay") paintTransport(records, state);
  else followList(`${S.session?.id}.${busy()}.${state === "awaiting_approval"}.${title}`);
  paintPanel(x, records, S.rows, x ? S.costs[x.number] : "");
  if (live?.settled && S.view !== "replay") fetchCosts(`${exchanges.length}.${live.settled}`);
}
function paintDock() {
  const running = busy();
  const holder = elsewhere();
  const name = running ? "stop" : "send";
  if ($("send").dataset.is !== name) {
    $("send").dataset.is = name;
    $("send").className = `send${running ? " stop" : ""}`;
    put($("send"), icon(name));
    $("send").setAttribute("aria-label", running ? "Stop" : "Send");
  }
  $("send").disabled = !running && (S.sending || !!holder || !$("say").value.trim());
  $("say").disabled = !!holder;
  const hint = holder
    ? `Open in ${holder}: this page follows it`
    : S.keep !== undefined
      ? "Replaces the turns from here on · Esc cancels"
      : S.second
        ? `Asks ${S.profile} and ${S.second}`
        : S.session?.status.asked?.length
          ? "Your approval is needed above · Esc stops"
          : running
            ? "Esc stops"
            : "Enter sends · Shift Enter makes a new line";
  if ($("hint").textContent !== hint) $("hint").textContent = hint;
}
let listed = "";
/** The list shows the state of what is open here: it is fetched again when that turns. */
function followList(/** @type {string} */ now) {
  if (now === listed) return;
  listed = now;
  setTimeout(list, 300);
}
function paintNotice() {
  const lost = [S.session, ...S.duel].some((s) => s && !s.connected);
  $("notice").hidden = !lost;
  if (lost) put($("notice-text"), `No connection to asst web. What runs goes on in the server, if that runs; this page continues from record ${S.session?.seq || S.duel[0]?.seq || 0}.`);
  const fault = S.session?.status.fault;
  if (fault && $("fault").dataset.told !== fault) {
    $("fault").dataset.told = fault;
    fail(fault);
  }
}
function paintPick() {
  const row = S.about.profiles.find((/** @type {any} */ p) => p.name === S.profile);
  put($("pick"), `<i class="dot${row?.missing === "" ? " ok" : ""}"></i><b>${esc(S.second ? `${S.profile} + ${S.second}` : S.profile || "no profile")}</b><span>${esc(S.second ? "" : S.model || row?.model || "")}</span>${icon("down")}`);
  $("both").setAttribute("aria-pressed", String(!!S.second));
  put(
    $("profiles"),
    S.about.profiles
      .map(
        (/** @type {any} */ p) =>
          `<button role="radio" aria-checked="${p.name === S.profile}" data-profile="${esc(p.name)}"${p.missing ? " disabled" : ""}><b>${esc(p.name)}</b><span>${esc(p.missing ? p.hint || p.missing : p.model)}</span></button>`,
      )
      .join(""),
  );
  $("model").value = S.model;
  $("model").placeholder = row?.model || "the profile's model";
  put(
    $("ready"),
    S.about.profiles
      .map((/** @type {any} */ p) => `<li><i class="dot${p.missing === "" ? " ok" : ""}"></i><b>${esc(p.name)}</b>${p.missing ? "not ready" : p.missing === "" ? "ready" : "…"}<span>${esc(p.missing ? p.hint || p.missing : p.model)}</span></li>`)
      .join(""),
  );
}

// ---- comparison ------------------------------------------------------------------------------------------------------------

const firstWord = (/** @type {Exchange} */ x) => (x.path.find((p) => p.state === "streaming")?.from || x.end) - x.start;
function paintDuel() {
  const both = S.duel.map((d) => fold(d.records, Date.now()).at(-1)).filter((x) => x !== undefined);
  if (both.length < S.duel.length) return;
  const span = Math.max(3000, ...both.map((x) => x.end - x.start)) * 1.04;
  const duel = $("duel");
  const key = S.duel.map((d) => d.id).join();
  if (duel.dataset.key !== key) {
    duel.dataset.key = key;
    duel.innerHTML =
      `<div class="ask-both"><div class="who"><b>You</b> to ${esc(both[0].profile)} and ${esc(both[1].profile)}</div><div class="said"></div></div>` +
      `<ul class="race" aria-label="Both on one time scale"><li></li><li></li></ul>` +
      `<div class="lanes">${both.map((x) => `<section class="lane" aria-label="${esc(x.profile)}"><div class="who"><b>${esc(x.profile)}</b><span></span><time></time></div><ol class="path"></ol><div class="calls"></div><div class="said md" role="log" aria-live="polite"></div><div class="keep"></div></section>`).join("")}</div>`;
    duel.querySelector(".ask-both .said").textContent = both[0].text;
  }
  both.forEach((x, i) => {
    const lane = duel.querySelectorAll(".lane")[i];
    const answers = x.parts.filter((p) => p.part === "answer");
    const answer = answers[answers.length - 1];
    const length = answers.reduce((s, p) => s + p.text.length, 0);
    put(
      duel.querySelectorAll(".race li")[i],
      `${esc(x.profile)}<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">${bars(x, 100, span)}</svg><span>${length ? `${ms(firstWord(x))} to the first word` : ""}</span><b>${ms(x.end - x.start)}</b>`,
    );
    put(lane.querySelector(".who span"), esc(x.model));
    put(lane.querySelector("time"), length ? `${Math.round(length / Math.max(0.3, (x.end - x.start - firstWord(x)) / 1000))} characters/s` : "");
    put(lane.querySelector(".path"), pathHTML(x, 440));
    if (answer) paintAnswer(lane.querySelector(".said"), answer, S.duel[i].blocks.upTo(x.number, answer.number, answer.text.length));
    const waits = S.duel[i].status.asked?.length;
    const failed = x.parts.find((p) => p.part === "error");
    put(
      lane.querySelector(".keep"),
      waits
        ? `<a class="btn" href="#${S.duel[i].id}">A tool waits for your answer</a>`
        : x.settled
          ? `<button class="btn" data-keep="${S.duel[i].id}">Continue with ${esc(x.profile)}</button><span>${failed ? esc(failed.message) : `${length} characters`}</span>`
          : "",
    );
  });
  paintPanel(both[S.lane], S.duel[S.lane].records, S.rows);
  $("title").textContent = both[0].text.slice(0, 120);
  $("seq").textContent = String(S.duel.reduce((s, d) => s + d.records.length, 0));
  paintDock();
  paintNotice();
  say(both.every((x) => x.settled) ? "Both have answered" : "Both are answering");
}

// ---- replay: the track of the slider is the timeline itself ------------------------------------------------------------------

function paintTransport(/** @type {any[]} */ records, /** @type {string} */ state) {
  const all = S.session?.records.length || 0;
  $("slider").max = String(all);
  $("slider").value = String(S.n);
  const last = records[records.length - 1];
  put($("when"), `${S.n} / ${all}<span> · ${esc(state.replaceAll("_", " "))}${last ? ` · ${new Date(time(last)).toLocaleTimeString()}` : ""}</span>`);
  put($("play"), icon(S.playing ? "pause" : "play"));
  $("play").setAttribute("aria-label", S.playing ? "Pause" : "Play");
  $("slider").setAttribute("aria-valuetext", `Record ${S.n} of ${all}, ${state}`);
}
function paintTrack() {
  const all = S.session?.records || [];
  const w = 1000 / Math.max(1, all.length);
  /** @type {string[]} */
  const runs = [];
  let from = 0;
  all.forEach((r, i) => {
    const next = all[i + 1];
    if (next && kind(next.state) === kind(r.state) && next.type !== "set_user_message") return;
    runs.push(`<rect class="${kind(r.state)}" x="${(from * w).toFixed(2)}" width="${((i + 1 - from) * w + 0.3).toFixed(2)}" height="10"/>`);
    if (next?.type === "set_user_message") runs.push(`<rect class="gap" x="${((i + 1) * w - 2).toFixed(2)}" width="4" height="10"/>`);
    from = i + 1;
  });
  $("track").setAttribute("viewBox", "0 0 1000 10");
  put($("track"), runs.join(""));
}
/** @param {number} n */
function seek(n) {
  const all = S.session?.records || [];
  S.n = Math.max(0, Math.min(all.length, n));
  S.clock = S.n ? time(all[S.n - 1]) : 0;
  S.playing = false;
  touch();
}
/** @param {number} dt */
function play(dt) {
  const all = S.session?.records || [];
  S.clock += dt * S.speed;
  while (S.n < all.length && time(all[S.n]) <= S.clock) S.n += 1;
  if (S.n < all.length && time(all[S.n]) - S.clock > 3000 && all[S.n].type === "set_user_message") S.clock = time(all[S.n]); // the pause between turns
  if (S.n >= all.length) S.playing = false;
  touch();
}

// ---- views ------------------------------------------------------------------------------------------------------------------

/** @param {string} view @param {boolean} [reload] */
function show(view, reload = true) {
  if (view === "compare" && !S.duel.length) {
    chooseSecond();
    return;
  }
  if (view !== "compare" && S.duel.length && reload) {
    location.hash = S.duel[0].id;
    return;
  }
  if (view === "replay" && !S.session) return;
  S.view = view;
  S.focus = -1;
  $("app").dataset.view = view;
  for (const b of document.querySelectorAll("button[data-view]")) b.setAttribute("aria-pressed", String(/** @type {any} */ (b).dataset.view === view));
  $("log").hidden = view === "compare";
  $("duel").hidden = view !== "compare";
  if (view === "compare") $("blank").hidden = true;
  $("composer").hidden = view === "replay";
  $("transport").hidden = view !== "replay";
  $("now").hidden = view === "compare";
  if (view === "compare") panel(false);
  if (view === "replay") {
    paintTrack();
    seek(0);
    S.clock = S.session?.records.length ? time(S.session.records[0]) : 0;
    S.playing = true;
  }
  repaint();
}
function chooseSecond() {
  const others = S.about.profiles.filter((/** @type {any} */ p) => !p.missing && p.name !== S.profile);
  if (S.second) S.second = "";
  else if (others.length) S.second = others[0].name;
  else fail({ message: "There is no second profile that is ready.", hint: "Run: asst setup" });
  paintPick();
  touch();
}
/** @param {boolean} shownNow */
function panel(shownNow) {
  $("app").dataset.panel = shownNow ? "open" : "closed";
  $("toggle-panel").setAttribute("aria-expanded", String(shownNow));
  touch();
}
/** @param {boolean} shownNow */
function side(shownNow) {
  if (shownNow && innerWidth > 760) return; // there it is always shown
  $("app").dataset.side = shownNow ? "open" : "";
  $("open-side").setAttribute("aria-expanded", String(shownNow));
}
/** @param {any} b */
function tab(b) {
  for (const t of document.querySelectorAll("[role=tab]")) {
    const on = t === b;
    t.setAttribute("aria-selected", String(on));
    /** @type {any} */ (t).tabIndex = on ? 0 : -1;
    $(t.getAttribute("aria-controls") || "").hidden = !on;
  }
  touch();
}
/** Show a record in the panel. @param {number} seq */
function showRecord(seq) {
  panel(true);
  tab($("t-rec"));
  paint();
  const rows = [...document.querySelectorAll(".rec")];
  const found = rows.findLast((el) => Number(el.getAttribute("data-at")) <= seq);
  if (found) {
    /** @type {any} */ (found).open = true;
    found.scrollIntoView({ block: "center" });
    found.querySelector("summary")?.focus();
  }
}
/** A question in a dialog; null: cancelled. @param {string} title @param {string} value @param {string} go @returns {Promise<string | null>} */
function ask(title, value, go) {
  const dialog = $("dialog");
  put($("dialog-title"), esc(title));
  $("dialog-text").hidden = value === "\0";
  $("dialog-text").value = value === "\0" ? "" : value;
  put($("dialog-go"), esc(go));
  $("dialog-go").className = value === "\0" ? "btn danger" : "btn go";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue === "go" ? $("dialog-text").value : null), { once: true }));
}
/** @param {string} what */
async function menu(what) {
  const id = S.session?.id;
  if (!id) return;
  if (what === "rename") {
    const title = await ask("Rename this session", $("title").textContent, "Rename");
    if (title !== null) await post(`/sessions/${id}/title`, { title });
  }
  if (what === "fork") location.hash = (await post(`/sessions/${id}/fork`, {})).session;
  if (what === "release") {
    await post(`/sessions/${id}/close`);
    say("A terminal can open it now");
  }
  if (what === "delete" && (await ask("Delete this session? It can't be brought back.", "\0", "Delete")) !== null) {
    await post(`/sessions/${id}/delete`);
    location.hash = "";
  }
  if (what.startsWith("export-")) {
    const link = document.createElement("a");
    link.href = `api/sessions/${id}/export?form=${what.slice(7)}`;
    link.download = "";
    link.click();
  }
  list();
}

// ---- events ------------------------------------------------------------------------------------------------------------------

document.addEventListener("click", (e) => {
  const on = (/** @type {string} */ sel) => /** @type {any} */ (e.target).closest?.(sel);
  /** @type {any} the element that was clicked on */
  let b;
  if ((b = on("button[data-view]"))) {
    $("menu").hidePopover();
    show(b.dataset.view);
  } else if ((b = on("[data-decide]"))) quietly(() => decide(b.dataset.call, b.dataset.decide));
  else if ((b = on("[data-edit]"))) {
    S.editing = b.dataset.edit;
    repaint();
    requestAnimationFrame(() => /** @type {any} */ (document.querySelector("[data-arguments]"))?.focus());
  } else if ((b = on("[data-undecide]"))) {
    delete S.chosen[b.dataset.undecide];
    repaint();
  } else if (on("#send")) {
    e.preventDefault();
    if (busy()) stop();
    else send();
  } else if ((b = on("[data-copy]"))) {
    const text = b.closest(".code").querySelector("pre").textContent;
    quietly(async () => {
      await copy(text);
      b.setAttribute("aria-label", "Copied");
    });
  } else if ((b = on("[data-keep]"))) {
    S.second = "";
    location.hash = b.dataset.keep;
  } else if ((b = on("[data-act]"))) {
    const x = exchanges[[...$("log").children].indexOf(b.closest(".exchange"))];
    if (x) quietly(() => act(x, b.dataset.act));
  } else if (on("[data-retry]")) {
    const x = exchanges[[...$("log").children].indexOf(on(".exchange"))];
    if (x) quietly(() => act(x, "retry"));
  } else if (on("[data-pick]")) $("picker").showPopover();
  else if ((b = on("[data-show]"))) {
    S.focus = [...$("log").children].indexOf(b.closest(".exchange"));
    panel(true);
    tab($("t-ex"));
  } else if ((b = on(".to[data-seq]"))) showRecord(Number(b.dataset.seq));
  else if ((b = on(".lane")) && !on("a, button")) {
    S.lane = [...b.parentNode.children].indexOf(b);
    touch();
  } else if (on("#toggle-panel")) panel($("app").dataset.panel === "closed");
  else if (on("#close-panel")) {
    panel(false);
    $("toggle-panel").focus();
  } else if (on("#open-side")) {
    side($("app").dataset.side !== "open");
    if ($("app").dataset.side === "open") $("find").focus();
  } else if ((b = on("[role=tab]"))) tab(b);
  else if ((b = on("[data-kind]"))) {
    b.setAttribute("aria-pressed", String(b.getAttribute("aria-pressed") !== "true"));
    touch();
  } else if (on("#new")) {
    if (location.hash.length > 1) location.hash = "";
    else open("");
    $("say").focus();
  } else if (on("#both")) chooseSecond();
  else if ((b = on("[data-profile]"))) {
    if (S.profile !== b.dataset.profile) S.model = "";
    S.profile = b.dataset.profile;
    if (S.second === S.profile) S.second = "";
    $("picker").hidePopover();
    paintPick();
    touch();
  } else if ((b = on("[data-menu]"))) {
    $("menu").hidePopover();
    quietly(() => menu(b.dataset.menu));
  } else if (on("#attach")) $("choose").click();
  else if ((b = on("[data-unattach]"))) {
    S.files.splice(Number(b.dataset.unattach), 1);
    paintFiles();
    $("say").focus();
  } else if (on("#prev")) seek(S.n - 1);
  else if (on("#next")) seek(S.n + 1);
  else if (on("#play")) {
    if (S.n >= (S.session?.records.length || 0)) {
      seek(0);
      S.clock = S.session?.records.length ? time(S.session.records[0]) : 0;
    }
    S.playing = !S.playing;
    touch();
  } else if (on("#clearfind")) {
    $("find").value = "";
    list();
  } else if (on("#cleargrep")) {
    $("grep").value = "";
    touch();
  } else if (on("#earlier")) {
    S.rows += 400;
    touch();
  } else if (on("#try-now")) for (const s of [S.session, ...S.duel]) s?.load().catch(() => undefined);
  else if (on("#shut")) $("fault").hidden = true;
  if (on(".sessions a") || ($("app").dataset.side === "open" && !on(".side") && !on("#open-side"))) side(false);
});
document.addEventListener("toggle", (e) => {
  const el = /** @type {any} */ (e.target);
  if (el.matches?.(".rec") && el.open) openRecord(el, S.duel.length ? S.duel[S.lane].records : S.session?.records || []);
}, true);
for (const type of ["pointerover", "focusin"])
  $("log").addEventListener(type, (/** @type {any} */ e) => {
    const s = e.target.closest(".part")?.dataset.s;
    for (const g of $("p-ex").querySelectorAll("[data-s]")) g.classList.toggle("hover", g.dataset.s === s);
  });
$("log").addEventListener("pointerleave", () => {
  for (const g of $("p-ex").querySelectorAll(".hover")) g.classList.remove("hover");
});
document.addEventListener("keydown", (e) => {
  const target = /** @type {any} */ (e.target);
  const mod = e.ctrlKey || e.metaKey;
  if (mod && e.key === "k") {
    e.preventDefault();
    side(true);
    $("find").focus();
  } else if (mod && e.key === "i") {
    e.preventDefault();
    panel($("app").dataset.panel === "closed");
  } else if (e.key === "Escape" && $("app").dataset.side === "open") {
    side(false);
    $("say").focus();
  } else if (e.key === "Escape" && target === $("say")) {
    if (S.keep !== undefined) {
      S.keep = undefined;
      S.again = [];
      $("say").value = "";
      touch();
    } else if (busy()) stop();
  } else if (e.key === "Enter" && !e.shiftKey && !e.isComposing && target === $("say")) {
    e.preventDefault();
    send();
  } else if (target.matches("[role=tab]") && /Arrow(Left|Right)/.test(e.key)) {
    const other = /** @type {any} */ ([...document.querySelectorAll("[role=tab]")].find((t) => t !== target));
    tab(other);
    other.focus();
  } else if (target === $("slider") && e.key === " ") {
    e.preventDefault();
    $("play").click();
  } else if (target === $("slider") && /Page(Up|Down)/.test(e.key)) {
    e.preventDefault();
    const starts = (S.session?.records || []).flatMap((r, i) => (r.type === "set_user_message" ? [i + 1] : []));
    const all = S.session?.records.length || 0;
    seek(e.key === "PageUp" ? (starts.findLast((n) => n < S.n) ?? 0) : (starts.find((n) => n > S.n) ?? all));
  }
});
$("composer").addEventListener("submit", (/** @type {any} */ e) => e.preventDefault());
$("choose").addEventListener("change", () => {
  quietly(() => attach([...$("choose").files]));
  $("choose").value = "";
});
for (const type of ["dragover", "dragleave", "drop"])
  document.addEventListener(type, (/** @type {any} */ e) => {
    if (!e.dataTransfer?.types.includes("Files")) return;
    e.preventDefault();
    $("composer").classList.toggle("drop", type === "dragover");
    if (type === "drop") quietly(() => attach([...e.dataTransfer.files]));
  });
$("say").addEventListener("paste", (/** @type {any} */ e) => {
  if (e.clipboardData?.files.length) {
    e.preventDefault();
    quietly(() => attach([...e.clipboardData.files]));
  }
});
$("slider").addEventListener("input", () => seek(Number($("slider").value)));
$("speed").addEventListener("change", () => {
  S.speed = Number($("speed").value);
});
$("model").addEventListener("change", () => {
  S.model = $("model").value.trim();
  paintPick();
});
let searching = 0;
$("find").addEventListener("input", () => {
  clearTimeout(searching);
  searching = setTimeout(list, 150);
});
for (const id of ["grep", "say"]) $(id).addEventListener("input", touch);
let top0 = 0; // following stops when the reader scrolls up, and starts again at the end
$("scroll").addEventListener("scroll", () => {
  const s = $("scroll");
  if (s.scrollTop < top0 - 2) stick = false;
  if (s.scrollHeight - s.scrollTop - s.clientHeight < 40) stick = true;
  top0 = s.scrollTop;
});
new ResizeObserver(() => {
  if (stick) $("scroll").scrollTop = $("scroll").scrollHeight;
}).observe($("log"));
for (const [button, menuOf] of [
  ["more", "menu"],
  ["pick", "picker"],
])
  $(menuOf).addEventListener("toggle", (/** @type {any} */ e) => {
    if (e.newState !== "open") return;
    const r = $(button).getBoundingClientRect();
    const m = $(menuOf);
    const left = Math.max(8, Math.min(r.left, innerWidth - m.offsetWidth - 8));
    const top = r.top > innerHeight / 2 ? r.top - m.offsetHeight - 6 : r.bottom + 6;
    m.style.setProperty("left", `${left}px`);
    m.style.setProperty("top", `${top}px`);
  });
addEventListener("hashchange", () => quietly(() => open(location.hash.slice(1))));
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) list();
});
matchMedia("(max-width: 1180px)").addEventListener("change", (e) => {
  if (e.matches) panel(false); // there it would lie over the conversation
});

/** @param {number} frame */
function tick(frame) {
  asked = 0;
  const dt = Math.min(frame - before, 100);
  before = frame;
  if (S.playing && S.view === "replay") play(dt);
  const live = exchanges[exchanges.length - 1];
  const ticking = S.view !== "replay" && ((live && !live.settled) || (S.duel.length && busy()));
  if (dirty || (ticking && frame - painted > 100)) {
    dirty = false;
    painted = frame;
    paint();
  }
  if (S.playing || ticking) asked ||= requestAnimationFrame(tick);
}

/** For measurements: paint at once. */
/** @type {any} */ (window).paintNow = paint;

/** Which profiles are ready is known a little later than their names: the server tries each of them. */
async function ready() {
  S.about.profiles = await get("/profiles");
  const first = S.about.profiles.find((/** @type {Profile} */ p) => !p.missing);
  const isChosen = S.session || S.about.profiles.some((/** @type {Profile} */ p) => p.name === S.profile && !p.missing);
  if (first && !isChosen) S.profile = first.name;
  paintPick();
}
async function start() {
  S.about = await get("/about");
  useScript(S.about);
  S.profile = S.about.profiles[0]?.name || "";
  $("version").textContent = S.about.version;
  if (innerWidth <= 1180) panel(false);
  paintPick();
  touch();
  await Promise.all([open(location.hash.slice(1)), list(), quietly(ready)]);
  setInterval(list, 5000);
  $("say").focus();
}
start().catch(fail);
