/**
 * One pure fold of the records. Rail, path, map, timeline, sequence, slider and comparison all show its result, so that live,
 * reload and replay are the same code; only the source of the records differs.
 *
 * @typedef {{call_id: string, name: string, arguments: string}} Call
 * @typedef {{call_id: string, approved: boolean, reason?: string, arguments?: string, by?: string}} Decision
 * @typedef {{call_id: string, output?: string, error?: string}} Result
 * @typedef {{name: string, sha256: string, media_type: string, size?: number}} Attached
 * @typedef {{url: string, title?: string}} Source
 * @typedef {{seq: number, at: string, state: string, type: string, text?: string, attachments?: Attached[], provider?: string,
 *   profile?: string, model?: string, status?: string, phase?: string, calls?: Call[], decisions?: Decision[], result?: Result,
 *   call_id?: string, name?: string, arguments?: string, approved_by?: string, seconds?: number, printed?: string, reason?: string,
 *   kind?: string, message?: string, hint?: string, input_tokens?: number, output_tokens?: number, cached_tokens?: number,
 *   cost?: number | null, delay?: number, sources?: Source[], title?: string, keep?: number}} Rec a record; the fields that we know
 * @typedef {{exchange: number, part: number, index: number, end: number, html: string}} Block
 * @typedef {{state: string, from: number, to: number}} Stop
 *
 * @typedef {{part: "user", seq: number, text: string, files: Attached[], t: number}} UserPart
 * @typedef {{part: "reasoning", seq: number, text: string, from: number, to?: number}} ReasoningPart
 * @typedef {{part: "answer" | "commentary", seq: number, text: string, open: boolean, number: number, from: number}} TextPart
 * @typedef {"asked" | "waiting" | "running" | "refused" | "done" | "failed" | "stopped"} CallStatus
 * @typedef {{part: "call", seq: number, status: CallStatus, began?: number, ended?: number, by?: string, reason?: string,
 *   run?: string, output?: string, seconds?: number, printed?: string} & Call} CallPart
 * @typedef {{part: "line" | "cut", seq: number, text: string}} LinePart
 * @typedef {{part: "retry", seq: number, times: number, message: string, delay: number, t: number}} RetryPart
 * @typedef {{part: "sources", seq: number, sources: Source[]}} SourcesPart
 * @typedef {{part: "error", seq: number, message: string, hint: string}} ErrorPart
 * @typedef {{part: "end", seq: number}} EndPart
 * @typedef {UserPart | ReasoningPart | TextPart | CallPart | LinePart | RetryPart | SourcesPart | ErrorPart | EndPart} Part
 *
 * @typedef {{input: number, output: number, cached: number, cost: number | null}} Used
 * @typedef {{number: number, path: Stop[], parts: Part[], records: Rec[], start: number, end: number, settled: string,
 *   profile: string, model: string, usage: Used | null, withdrawn: boolean, text: string, files: Attached[]}} Exchange
 */
import { SETTLED, STEPS } from "./table.js";

/** @type {WeakMap<Rec, number>} */
const times = new WeakMap();
/** When a record was made, in ms. @param {Rec} r */
export function time(r) {
  let t = times.get(r);
  if (t === undefined) times.set(r, (t = Date.parse(r.at) || 0));
  return t;
}

/** @type {Record<string, string>} */
const WHY = { user: "you stopped it", timeout: "time limit", terminated: "asst was ended" };

/** @param {Rec[]} records @param {number} now @returns {Exchange[]} */
export function fold(records, now) {
  /** @type {Exchange[]} */
  const all = [];
  /** @type {Exchange[]} those that the assistant still sees */
  let sent = [];
  /** @type {Exchange | undefined} */
  let x;
  let profile = "";
  let model = "";
  let text = 0; // texts between tool calls, as the server numbers them
  for (const r of records) {
    const t = time(r);
    if (r.type === "configured") {
      const changed = x && ((r.profile || "") !== profile || (r.model || model) !== model);
      model = r.model || ((r.profile || "") === profile ? model : "");
      profile = r.profile || r.provider || profile;
      if (changed && x) line(x, r, `${profile} ${model} from here on`);
    }
    if (r.type === "set_user_message") {
      const files = r.attachments || [];
      x = {
        number: all.length,
        path: [],
        parts: [{ part: "user", seq: r.seq, text: r.text || "", files, t }],
        records: [],
        start: t,
        end: t,
        settled: "",
        profile,
        model,
        usage: null,
        withdrawn: false,
        text: r.text || "",
        files,
      };
      all.push(x);
      sent.push(x);
      text = 0;
    }
    if (!x) continue;
    x.records.push(r);
    if (STEPS[r.type]) step(x, STEPS[r.type].dest, t);
    const last = x.parts[x.parts.length - 1];
    if (last.part === "reasoning" && r.type !== "reasoning") last.to ??= t;
    switch (r.type) {
      case "started":
        x.model = r.model || x.model;
        break;
      case "taken_over":
        profile = x.profile = r.profile || x.profile;
        model = x.model = r.model || x.model;
        line(x, r, `${x.profile} ${r.model || ""} answers in its place`);
        break;
      case "reasoning":
        if (last.part === "reasoning") last.text += r.text;
        else x.parts.push({ part: "reasoning", seq: r.seq, text: r.text || "", from: t });
        break;
      case "chunk_received": {
        const part = r.phase === "commentary" ? "commentary" : "answer";
        if (last.part === part) last.text += r.text;
        else x.parts.push({ part, seq: r.seq, text: r.text || "", open: true, number: text, from: t });
        break;
      }
      case "action_required":
        close(x);
        text += 1;
        for (const one of r.calls || []) x.parts.push({ part: "call", seq: r.seq, status: "asked", ...one });
        break;
      case "approval_requested":
        for (const one of r.calls || []) at(x, one.call_id, { status: "waiting" });
        break;
      case "approval_given":
        for (const d of r.decisions || []) at(x, d.call_id, { status: d.approved ? "running" : "refused", by: d.by || "", reason: d.reason || "" });
        break;
      case "tool_started":
        at(x, r.call_id, { status: "running", began: t, by: r.approved_by || call(x, r.call_id)?.by || "", run: r.arguments });
        break;
      case "tool_finished": {
        const result = r.result;
        if (!result) break;
        const refused = call(x, result.call_id)?.status === "refused";
        const output = result.error ?? result.output ?? "";
        at(x, result.call_id, { status: refused ? "refused" : result.error == null ? "done" : "failed", output, seconds: r.seconds, ended: t, printed: r.printed || "" });
        break;
      }
      case "assistant_message_retrieved":
      case "message_incomplete":
        if (r.text && !x.parts.some((p) => p.part === "answer" && p.number === text))
          x.parts.push({ part: "answer", seq: r.seq, text: r.text, open: false, number: text, from: t });
        if (r.type === "message_incomplete") x.parts.push({ part: "cut", seq: r.seq, text: r.reason || "" });
        break;
      case "cancelled":
        x.parts.push({ part: "cut", seq: r.seq, text: WHY[r.reason || "user"] || "" });
        break;
      case "error":
        x.parts.push({ part: "error", seq: r.seq, message: r.message || "", hint: r.hint || "" });
        break;
      case "usage":
        x.usage = add(x.usage, r);
        break;
      case "notice":
      case "skipped":
        line(x, r, r.text || "");
        break;
      case "schema_mismatch":
        line(x, r, "The answer doesn't fit the schema. The assistant is asked to correct it.");
        break;
      case "retry_scheduled": {
        const what = { seq: r.seq, message: r.message || "", delay: r.delay || 0, t };
        if (last.part === "retry") Object.assign(last, what, { times: last.times + 1 });
        else x.parts.push({ part: "retry", times: 1, ...what });
        break;
      }
      case "cited":
        x.parts.push({ part: "sources", seq: r.seq, sources: r.sources || [] });
        break;
      case "titled":
        line(x, r, `Title: ${r.title}`);
        break;
      case "history_compacted":
        sent = [x];
        line(x, r, "The assistant is sent this summary in place of what is above.");
        break;
      case "history_cut":
        for (const gone of sent.slice(r.keep || 0)) gone.withdrawn = true;
        sent = sent.slice(0, r.keep || 0);
        line(x, r, "The assistant no longer sees what is struck out.");
        break;
    }
    if (STEPS[r.type] && SETTLED.has(r.state)) {
      x.settled = r.state;
      close(x);
    }
  }
  for (const e of all) {
    const last = e.path[e.path.length - 1];
    e.end = e.settled ? last.from : Math.max(now, last.from);
    last.to = e.end;
  }
  return all;
}

/** @param {Exchange} x @param {Rec} r @param {string} text */
const line = (x, r, text) => x.parts.push({ part: "line", seq: r.seq, text: text.trim() });
/** @param {Exchange} x @param {string} state @param {number} t */
function step(x, state, t) {
  const last = x.path[x.path.length - 1];
  if (last?.state === state) return;
  if (last) last.to = t;
  x.path.push({ state, from: t, to: t });
}
/** @param {Exchange} x @param {string | undefined} id @returns {CallPart | undefined} */
const call = (x, id) => x.parts.find((p) => p.part === "call" && p.call_id === id);
/** @param {Exchange} x @param {string | undefined} id @param {Partial<CallPart>} what */
function at(x, id, what) {
  const found = call(x, id);
  if (found) Object.assign(found, what);
}
/** @param {Exchange} x */
function close(x) {
  for (const p of x.parts) {
    if (p.part === "answer" || p.part === "commentary") p.open = false;
    else if (p.part === "call" && x.settled && (p.status === "waiting" || p.status === "running" || p.status === "asked")) p.status = "stopped";
  }
}
/** @param {Used | null} sum @param {Rec} r @returns {Used} */
function add(sum, r) {
  const s = sum || { input: 0, output: 0, cached: 0, cost: null };
  s.input += r.input_tokens || 0;
  s.output += r.output_tokens || 0;
  s.cached += r.cached_tokens || 0;
  if (typeof r.cost === "number") s.cost = (s.cost || 0) + r.cost;
  return s;
}

/** The blocks of the answers, by exchange and part. */
export class Blocks {
  constructor() {
    /** @type {Map<string, Block[]>} */
    this.all = new Map();
  }
  /** @param {Block[]} blocks */
  add(blocks) {
    for (const b of blocks) {
      const key = `${b.exchange}.${b.part}`;
      const list = this.all.get(key) || [];
      list[b.index] = b;
      this.all.set(key, list);
    }
  }
  /** What of a text is finished, and where the rest begins. @param {number} exchange @param {number} part @param {number} length */
  upTo(exchange, part, length) {
    const list = this.all.get(`${exchange}.${part}`) || [];
    const shown = [];
    let end = 0;
    for (const b of list) {
      if (!b || b.end > length) break;
      shown.push(b.html);
      end = b.end;
    }
    return { shown, end };
  }
}
