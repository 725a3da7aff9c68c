/** The System's cards in the conversation: a call of a tool, and the question whether it may run. */
import { esc, ms } from "./words.js";

/** @typedef {import("./fold.js").Exchange} Exchange @typedef {import("./fold.js").CallPart} CallPart @typedef {import("./conversation.js").View} View */

/** Who speaks. @param {string} name @param {string} [rest] HTML */
export const speaker = (name, rest = "") => `<div class="who"><b>${esc(name)}</b>${rest}</div>`;

/** @type {Record<string, string>} */
const BY = { person: "you said yes", always: "always in this session", option: "allowed at the start", nobody: "nobody could be asked" };

/** JSON as a person reads it; other text as it is. @param {string} text */
function json(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
/** Arguments as rows. @param {string} text */
function rows(text) {
  try {
    const found = JSON.parse(text);
    if (found && typeof found === "object" && !Array.isArray(found))
      return Object.entries(found)
        .map(([k, v]) => `<dt>${esc(k)}</dt><dd class="mono">${esc(typeof v === "string" ? v : JSON.stringify(v))}</dd>`)
        .join("");
  } catch {
    /* shown as it is */
  }
  return `<dt>arguments</dt><dd class="mono">${esc(text)}</dd>`;
}

/** The card that asks whether a call may run. @param {CallPart} p @param {Exchange} x @param {View} view */
export function approvalHTML(p, x, view) {
  const asked = view.asked.find((a) => a.call_id === p.call_id);
  const chosen = view.chosen[p.call_id];
  const source = asked?.source ? `From ${esc(asked.source)}: it runs as you, with your files and your network.` : "It runs as you, with your files and your network.";
  const head =
    `<div class="head"><code class="name">${esc(p.name)}</code></div>` +
    `<p class="why">${esc(x.profile)} wants to run it. ${view.mode === "replay" || !asked ? "" : "Nothing runs until you click."}${asked?.about ? ` Its description: ${esc(asked.about)}` : ""}</p>`;
  if (view.mode === "replay" || !asked) {
    const holder = view.session.status.holder;
    const where = view.mode === "replay" ? "In the recording, a person was asked here." : holder ? `Answer it in ${holder}.` : "";
    return `${speaker("System", "asks you")}<section class="card approval">${head}<dl class="io">${rows(p.arguments)}</dl>${where ? `<p class="why rest">${esc(where)}</p>` : ""}</section>`;
  }
  const body =
    view.editing === p.call_id
      ? `<label class="edit">Arguments (JSON)<textarea data-arguments rows="6" spellcheck="false">${esc(chosen?.arguments ?? asked.arguments)}</textarea></label><p class="why bad" data-problem hidden></p>`
      : `<pre class="io mono" tabindex="0">${esc(chosen?.arguments ?? asked.arguments)}</pre>`;
  const call = esc(p.call_id);
  const buttons = chosen
    ? `<span class="why">${chosen.answer === "no" ? "Refused." : "Allowed."} Waiting for your other answers.</span><button class="btn quiet" data-undecide="${call}">Change</button>`
    : view.editing === p.call_id
      ? `<button class="btn go" data-decide="yes" data-call="${call}">Run with these</button><button class="btn quiet" data-edit="">Back</button>`
      : `<button class="btn go" data-decide="yes" data-call="${call}">Allow once</button>` +
        (asked.may_always ? `<button class="btn" data-decide="always" data-call="${call}">Allow in this session</button>` : "") +
        `<button class="btn quiet" data-edit="${call}">Edit arguments</button><button class="btn quiet" data-decide="no" data-call="${call}">Refuse</button>`;
  return `${speaker("System", "asks you")}<section class="card approval" aria-label="May ${esc(p.name)} run?">${head}${body}<p class="why">${source}</p><div class="acts">${buttons}</div></section>`;
}

/** The card of a call. @param {CallPart} p */
export function callHTML(p) {
  const state = { done: ms((p.seconds || 0) * 1000), failed: `failed · ${ms((p.seconds || 0) * 1000)}`, running: "running", asked: "asked", waiting: "waits for you", refused: "refused", stopped: "not run" }[p.status];
  const by = p.by || "";
  const who = p.status === "refused" ? `${by === "person" ? "you said no" : BY[by] || "refused"}${p.reason ? `: ${p.reason}` : ""}` : BY[by] || by;
  const edited = p.run && json(p.run) !== json(p.arguments) ? `<dt>ran with</dt><dd class="mono">${esc(p.run)}</dd>` : "";
  return (
    speaker("System") +
    `<details class="card call-${p.status}"><summary><code class="name">${esc(p.name)}</code><span class="tag">${esc(who)}</span><span class="meta">${esc(state)}</span></summary>` +
    `<dl class="io">${rows(p.arguments)}${edited}${p.output === undefined ? "" : `<dt>${p.status === "done" ? "result" : "error"}</dt><dd class="mono">${esc(json(p.output))}</dd>`}` +
    `${p.printed ? `<dt>printed</dt><dd class="mono">${esc(p.printed)}</dd>` : ""}</dl></details>`
  );
}
