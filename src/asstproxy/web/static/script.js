/**
 * The interaction script, as the server's table has it (`asst script`).
 * @typedef {{trigger: string, sources: string[], dest: string, do: string}} Step
 * @typedef {{script: Step[], settled: string[], listening: string[], reasons: Record<string, string>}} Table
 */

/** @type {Record<string, Step>} */
export const STEPS = {};
/** @type {Set<string>} */
export const SETTLED = new Set();
/** @type {Set<string>} */
export const LISTENING = new Set();
/** Why an exchange was cut short or cancelled, in words. @type {Record<string, string>} */
export const REASONS = {};

/** Take the table that `/api/about` sends. @param {Table} about */
export function useScript(about) {
  for (const step of about.script) STEPS[step.trigger] = step;
  for (const state of about.settled) SETTLED.add(state);
  for (const state of about.listening) LISTENING.add(state);
  Object.assign(REASONS, about.reasons);
}

const BY_USER = new Set(["set_user_message", "approval_requested", "approval_given", "tools_executed", "cancelled"]);
/** Who sends a message: U, the User Proxy, or A, the Assistant Proxy. @param {string} trigger @returns {"U" | "A"} */
export const actor = (trigger) => (BY_USER.has(trigger) ? "U" : "A");
/** Whom the mediator asks next. @param {string} what @returns {"U" | "A"} */
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
