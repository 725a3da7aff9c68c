/**
 * The interaction script, as the server's table has it (`asst script`), and small words that every drawing needs.
 * @typedef {{trigger: string, sources: string[], dest: string, do: string}} Step
 */

/** @type {Record<string, Step>} */
export const STEPS = {};
/** @type {Set<string>} */
export const SETTLED = new Set();
/** @type {Set<string>} */
export const LISTENING = new Set();

/** Take the table that `/api/about` sends. @param {{script: Step[], settled: string[], listening: string[]}} about */
export function useScript(about) {
  for (const step of about.script) STEPS[step.trigger] = step;
  for (const state of about.settled) SETTLED.add(state);
  for (const state of about.listening) LISTENING.add(state);
}

const BY_USER = new Set(["set_user_message", "approval_requested", "approval_given", "tools_executed", "cancelled"]);
/** Who says a message: U, the User Proxy, or A, the Assistant Proxy. @param {string} trigger */
export const actor = (trigger) => (BY_USER.has(trigger) ? "U" : "A");
/** Whom the mediator asks next. @param {string} what */
export const doer = (what) => (what === "start_processing" || what === "submit_tool_outputs" ? "A" : "U");

/** @type {Record<string, string>} */
const KIND = {
  streaming: "asst",
  requires_action: "tool",
  tools_executed: "tool",
  awaiting_approval: "you",
  error: "bad",
  cancelled: "bad",
  completed: "end",
  incomplete: "end",
};
/** The class of a state's colour. @param {string} state */
export const kind = (state) => "k-" + (KIND[state] || "wait");

/** Text as HTML. @param {unknown} text */
export const esc = (text) =>
  String(text).replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c] || c);

/** Milliseconds as a person reads them. @param {number} n */
export function ms(n) {
  if (n < 995) return `${Math.max(0, Math.round(n))} ms`;
  if (n < 59_950) return `${(n / 1000).toFixed(1)} s`;
  const seconds = Math.round(n / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** @param {number} n */
export const count = (n) => n.toLocaleString("en");

/** Bytes as a person reads them. @param {number} n */
export const bytes = (n) => (n < 1000 ? `${n} B` : n < 1e6 ? `${(n / 1000).toFixed(n < 1e4 ? 1 : 0)} kB` : `${(n / 1e6).toFixed(1)} MB`);

/** Dollars as a person reads them. @param {number} n */
export const money = (n) => (n < 0.0001 ? "<$0.0001" : n < 0.1 ? `$${n.toPrecision(2)}` : `$${n.toFixed(2)}`);

/** @param {string} name */
export const icon = (name) => `<svg aria-hidden="true"><use href="#i-${name}"/></svg>`;

/** @param {string} id @returns {any} */
export const $ = (id) => document.getElementById(id);
