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

/** @type {WeakMap<Rec, number>} */
const times = new WeakMap();
/** When a record was made, in ms. @param {Rec} r */
export function time(r) {
  let t = times.get(r);
  if (t === undefined) times.set(r, (t = Date.parse(r.at) || 0));
  return t;
}
