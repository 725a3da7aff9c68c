/**
 * The records of a session, as the server sends them and the journal has them. Fields with a default are left out by the server.
 *
 * @typedef {{sha256: string, media_type: string, name: string, size: number, pages?: number}} Attachment
 * @typedef {{call_id: string, name: string, arguments: string}} ToolCall
 * @typedef {{call_id: string, output?: string, error?: string | null}} ToolResult
 * @typedef {{call_id: string, approved: boolean, reason?: string, arguments?: string | null, always?: boolean, by?: string}} Decision
 * @typedef {{url: string, title?: string}} Source
 *
 * @typedef {{type: "set_user_message", text: string, attachments?: Attachment[], compacts?: boolean}} SetUserMessage
 * @typedef {{type: "started", provider: string, model?: string}} Started
 * @typedef {{type: "heartbeat", status?: string | null}} Heartbeat
 * @typedef {{type: "chunk_received", text: string, phase?: "answer" | "commentary"}} ChunkReceived
 * @typedef {{type: "action_required", calls: ToolCall[], text?: string}} ActionRequired
 * @typedef {{type: "approval_requested", calls: ToolCall[]}} ApprovalRequested
 * @typedef {{type: "approval_given", decisions: Decision[]}} ApprovalGiven
 * @typedef {{type: "tools_executed", results: ToolResult[]}} ToolsExecuted
 * @typedef {{type: "tool_outputs_submitted"}} ToolOutputsSubmitted
 * @typedef {{type: "assistant_message_retrieved", text: string}} AssistantMessageRetrieved
 * @typedef {{type: "message_incomplete", text: string, reason: string}} MessageIncomplete
 * @typedef {{type: "cancelled", reason?: "user" | "timeout" | "terminated"}} Cancelled
 * @typedef {{type: "error", kind: string, message: string, hint?: string}} ErrorOccurred
 * @typedef {{type: "session_opened", session: string}} SessionOpened
 * @typedef {{type: "configured", profile?: string, provider?: string, model?: string}} Configured
 * @typedef {{type: "titled", title: string}} Titled
 * @typedef {{type: "history_cut", keep: number}} HistoryCut
 * @typedef {{type: "history_compacted", summary: string, keep?: number}} HistoryCompacted
 * @typedef {{type: "tool_started", call_id: string, name: string, arguments: string, approved_by?: string}} ToolStarted
 * @typedef {{type: "tool_finished", result: ToolResult, seconds: number, abandoned?: boolean, printed?: string}} ToolFinished
 * @typedef {{type: "retry_scheduled", delay: number, message: string}} RetryScheduled
 * @typedef {{type: "schema_mismatch", text: string}} SchemaMismatch
 * @typedef {{type: "taken_over", profile: string, provider: string, model?: string}} TakenOver
 * @typedef {{type: "usage", input_tokens?: number, output_tokens?: number, cached_tokens?: number, cost?: number | null}} Usage
 * @typedef {{type: "reasoning", text: string}} Reasoning
 * @typedef {{type: "notice", text: string}} Notice
 * @typedef {{type: "cited", sources: Source[]}} Cited
 * @typedef {{type: "skipped", text: string}} Skipped
 *
 * @typedef {SetUserMessage | Started | Heartbeat | ChunkReceived | ActionRequired | ApprovalRequested | ApprovalGiven | ToolsExecuted
 *   | ToolOutputsSubmitted | AssistantMessageRetrieved | MessageIncomplete | Cancelled | ErrorOccurred} Message drives the script
 * @typedef {SessionOpened | Configured | Titled | HistoryCut | HistoryCompacted | ToolStarted | ToolFinished | RetryScheduled
 *   | SchemaMismatch | TakenOver | Usage | Reasoning | Notice | Cited | Skipped} Note reports what happens in a state
 * @typedef {{seq: number, at: string, state: string} & (Message | Note)} Rec a newer asst may send types that are not in this list
 */
import { REASONS, SETTLED, STEPS } from "./script.js";

/** @type {WeakMap<Rec, number>} */
const times = new WeakMap();
/** When a record was made, in ms. @param {Rec} r */
export function time(r) {
  let t = times.get(r);
  if (t === undefined) times.set(r, (t = Date.parse(r.at) || 0));
  return t;
}

/**
 * One pure fold of the records. Rail, path, map, timeline, sequence, slider and comparison all show its result, so that live,
 * reload and replay are the same code; only the source of the records differs.
 *
 * @typedef {{state: string, from: number, to: number}} Stop one state of an exchange; times in ms
 *
 * @typedef {{part: "user", seq: number, text: string, files: Attachment[], t: number}} UserPart
 * @typedef {{part: "reasoning", seq: number, text: string, from: number, to?: number}} ReasoningPart
 * @typedef {{part: "answer" | "commentary", seq: number, text: string, number: number, from: number, open: boolean}} TextPart
 * @typedef {"asked" | "waiting" | "running" | "done" | "failed" | "refused" | "stopped"} CallStatus
 * @typedef {{status: CallStatus, by?: string, reason?: string, run?: string, output?: string, seconds?: number, began?: number,
 *   ended?: number, printed?: string, abandoned?: boolean}} CallState what is known of a call; `run`: the arguments with which it ran
 * @typedef {{part: "call", seq: number} & ToolCall & CallState} CallPart
 * @typedef {{part: "line", seq: number, text: string}} LinePart
 * @typedef {{part: "retry", seq: number, times: number, message: string, delay: number}} RetryPart
 * @typedef {{part: "cut", seq: number, reason: string}} CutPart
 * @typedef {{part: "error", seq: number, kind: string, message: string, hint: string}} ErrorPart
 * @typedef {{part: "sources", seq: number, sources: Source[]}} SourcesPart
 * @typedef {{part: "end", seq: number}} EndPart the foot, which the painter adds
 * @typedef {UserPart | ReasoningPart | TextPart | CallPart | LinePart | RetryPart | CutPart | ErrorPart | SourcesPart | EndPart} Part
 *
 * @typedef {{input: number, output: number, cached: number, cost: number | null}} Spent tokens, and US dollars if they are known
 * @typedef {{number: number, path: Stop[], parts: Part[], records: Rec[], start: number, end: number, settled: string,
 *   profile: string, model: string, usage: Spent | null, withdrawn: boolean, compacts: boolean, keep: number, text: string}} Exchange
 *   `keep`: how many turns the assistant keeps when this one is asked again; -1: it can't be, a summary has taken its place.
 */
/** @param {string} reason */
const why = (reason) => REASONS[reason] || reason.replace(/^max_cost: /, "");

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
  let cut = 0;
  for (const r of records) {
    const t = time(r);
    if (r.type === "configured") {
      const changed = x && (r.profile !== profile || (r.model || model) !== model);
      profile = r.profile || r.provider || profile;
      model = r.model || model;
      if (changed && x) x.parts.push({ part: "line", seq: r.seq, text: `${profile} ${model} from here on` });
    }
    if (r.type === "set_user_message") {
      x = {
        number: all.length,
        path: [],
        parts: [{ part: "user", seq: r.seq, text: r.text, files: r.attachments || [], t }],
        records: [],
        start: t,
        end: t,
        settled: "",
        profile,
        model,
        usage: null,
        withdrawn: false,
        compacts: !!r.compacts,
        keep: -1,
        text: r.text,
      };
      all.push(x);
      sent.push(x);
      text = 0;
    }
    if (!x) continue;
    x.records.push(r);
    if (STEPS[r.type]) step(x, STEPS[r.type].dest, t);
    const last = x.parts[x.parts.length - 1];
    if (last?.part === "reasoning" && r.type !== "reasoning") last.to ??= t;
    switch (r.type) {
      case "started":
        x.model = r.model || x.model;
        break;
      case "reasoning":
        if (last?.part === "reasoning") last.text += r.text;
        else x.parts.push({ part: "reasoning", seq: r.seq, text: r.text, from: t });
        break;
      case "chunk_received": {
        const kind = r.phase === "commentary" ? "commentary" : "answer";
        if (last?.part === kind) last.text += r.text;
        else x.parts.push({ part: kind, seq: r.seq, text: r.text, open: true, number: text, from: t });
        break;
      }
      case "action_required":
        close(x);
        text += 1;
        for (const call of r.calls || []) x.parts.push({ part: "call", seq: r.seq, status: "asked", ...call });
        break;
      case "approval_requested":
        for (const call of r.calls || []) at(x, call.call_id, { status: "waiting" });
        break;
      case "approval_given":
        for (const d of r.decisions || [])
          at(x, d.call_id, {
            status: d.approved ? "running" : "refused",
            by: d.by || "",
            reason: d.reason || "",
          });
        break;
      case "tool_started":
        at(x, r.call_id, { status: "running", began: t, by: r.approved_by || call(x, r.call_id)?.by || "", run: r.arguments });
        break;
      case "tool_finished": {
        const result = r.result;
        const refused = call(x, result.call_id)?.status === "refused";
        at(x, result.call_id, {
          status: refused ? "refused" : result.error == null ? "done" : "failed",
          output: result.error ?? result.output ?? "",
          seconds: r.seconds,
          ended: t,
          printed: r.printed || "",
          abandoned: r.abandoned,
        });
        break;
      }
      case "assistant_message_retrieved":
      case "message_incomplete":
        if (r.text && !x.parts.some((p) => p.part === "answer" && p.number === text))
          x.parts.push({ part: "answer", seq: r.seq, text: r.text, open: false, number: text, from: t });
        if (r.type === "message_incomplete") x.parts.push({ part: "cut", seq: r.seq, reason: why(r.reason) });
        break;
      case "cancelled":
        x.parts.push({ part: "cut", seq: r.seq, reason: why(r.reason || "user") });
        break;
      case "error":
        x.parts.push({ part: "error", seq: r.seq, kind: r.kind, message: r.message, hint: r.hint || "" });
        break;
      case "usage":
        x.usage = add(x.usage, r);
        break;
      case "taken_over":
        x.profile = r.profile || x.profile;
        x.model = r.model || x.model;
        x.parts.push({ part: "line", seq: r.seq, text: `${x.profile} ${x.model} answers in its place` });
        break;
      case "schema_mismatch":
        x.parts.push({ part: "line", seq: r.seq, text: "The answer doesn't fit the schema. The assistant is asked to correct it." });
        break;
      case "skipped":
      case "notice":
        x.parts.push({ part: "line", seq: r.seq, text: r.text });
        break;
      case "retry_scheduled":
        if (last?.part === "retry") Object.assign(last, { seq: r.seq, times: last.times + 1, message: r.message, delay: r.delay });
        else x.parts.push({ part: "retry", seq: r.seq, times: 1, message: r.message, delay: r.delay });
        break;
      case "cited":
        x.parts.push({ part: "sources", seq: r.seq, sources: r.sources || [] });
        break;
      case "titled":
        x.parts.push({ part: "line", seq: r.seq, text: `Title: ${r.title}` });
        break;
      case "history_compacted":
        sent = [x, ...sent.slice(Math.max(sent.length - 1 - (r.keep || 0), 0), -1)];
        x.parts.push({ part: "line", seq: r.seq, text: r.keep ? `The assistant is sent this summary, and the last ${r.keep} turns before it.` : "The assistant is sent this summary in place of what is above." });
        break;
      case "history_cut":
        cut = r.keep || 0;
        for (const gone of sent.slice(cut)) gone.withdrawn = true;
        sent = sent.slice(0, cut);
        x.parts.push({ part: "line", seq: r.seq, text: "The assistant no longer sees what is struck out." });
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
  place(all, sent);
  return all;
}

/**
 * Count what the assistant sees before each exchange. A summary comes first, though it was made later.
 * @param {Exchange[]} all @param {Exchange[]} sent
 */
function place(all, sent) {
  const summary = sent[0]?.compacts ? sent[0] : undefined;
  const rest = summary ? sent.slice(1) : sent;
  const oldest = (rest[0] || summary)?.number ?? 0;
  let before = 0;
  for (const e of all) {
    while (before < rest.length && rest[before].number < e.number) before += 1;
    e.keep = e.compacts || (summary && e.number < oldest) ? -1 : before + (summary ? 1 : 0);
  }
}

/** @param {Exchange} x @param {string} state @param {number} t */
function step(x, state, t) {
  const last = x.path[x.path.length - 1];
  if (last?.state === state) return;
  if (last) last.to = t;
  x.path.push({ state, from: t, to: t });
}
/** The newest call with this id: a provider may number the calls of each reply afresh. @param {Exchange} x @param {string} id */
const call = (x, id) => x.parts.filter((p) => p.part === "call").findLast((p) => p.call_id === id);
/** @param {Exchange} x @param {string} id @param {CallState} what */
function at(x, id, what) {
  const found = call(x, id);
  if (found) Object.assign(found, what);
}
/** No text of the exchange grows any more; when it has settled, no call runs. @param {Exchange} x */
function close(x) {
  for (const p of x.parts) {
    if ("open" in p) p.open = false;
    if (x.settled && p.part === "call" && ["waiting", "running", "asked"].includes(p.status)) p.status = "stopped";
  }
}
/** @param {Spent | null} sum @param {Usage} r @returns {Spent} */
function add(sum, r) {
  const s = sum || { input: 0, output: 0, cached: 0, cost: null };
  s.input += r.input_tokens || 0;
  s.output += r.output_tokens || 0;
  s.cached += r.cached_tokens || 0;
  if (typeof r.cost === "number") s.cost = (s.cost || 0) + r.cost;
  return s;
}
/** The texts of an exchange that the assistant wrote. @param {Exchange} x */
export const answers = (x) => /** @type {TextPart[]} */ (x.parts.filter((p) => p.part === "answer"));
/** The files that its message carried. @param {Exchange} x */
export const filesOf = (x) => x.parts.flatMap((p) => (p.part === "user" ? p.files : []));
