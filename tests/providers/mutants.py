"""Ways to break the provider of chat_provider.py: what is changed, which test of the suite rejects it, and with which message."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MUTANTS", "Mutant"]


@dataclass(frozen=True)
class Mutant:
    """In the source, `new` takes the place of `old`, which occurs once. `message`: a part of the message of the test."""

    name: str
    message: str
    old: str
    new: str

    def source(self, good: str) -> str:
        """The broken provider."""
        assert good.count(self.old) == 1, f"{self.old!r} occurs {good.count(self.old)} times"
        return good.replace(self.old, self.new)


def on_error(name: str, message: str, *lines: str) -> Mutant:
    """Do this with the errors of a request, called `error`; `key` is the header with the key."""
    body = "\n            ".join(lines)
    return Mutant(
        name,
        message,
        REPLIES,
        f"""        key = self._transport._client.headers["authorization"]
        try:
            async with aclosing(self._replies(items)) as events:
                async for event in events:
                    yield event
        except AssistantError as error:
            {body}

    async def _replies(self, items):
{REPLIES}""",
    )


STARTED = "        yield Started(self.provider, turn.model or self.model)\n"
SUBMITTED = "        yield ToolOutputsSubmitted()\n"
ITEMS = "[*turn.history, UserMessage(turn.text, turn.attachments)]"
TURN = "self._turn, self._items = turn,"
MODEL = '"model": turn.model or model'
SYSTEM = "if turn.instructions else []"
CHUNK = "yield ChunkReceived(text)"
ANSWER = "yield AssistantMessageRetrieved(self._text, raw)"
INCOMPLETE = "if self._reason in INCOMPLETE:"
BROKEN_OFF = 'raise AssistantError("connection", "The answer broke off.", "Try again.")'
REPLIES = "        async with aclosing(self._reply(request(self._turn, self.model, items))) as events:\n"
STREAM = 'async with aclosing(self._transport.events("POST", "/chat/completions", body | {"stream": True})) as events:'
OPEN = """        async with aclosing(self._ask(self._items)) as events:
            async for event in events:
                yield event
"""
OPEN_ALL = STARTED + f"        {TURN} {ITEMS}\n" + OPEN
SUBMIT = OPEN.replace("self._items", "items")
ON_CLOSE = "try:\n                    yield event\n                except GeneratorExit:\n                    "
REMEMBER = """                if isinstance(event, ActionRequired):
                    self._items = [*items, AssistantMessage(event.text, event.calls, event.raw)]
                yield event
"""
ANOTHER_REQUEST = '        await self._transport.call("POST", "/chat/completions", {"model": "m"})\n'
ASYNCIO = "__import__('asyncio')"

# fmt: off
MUTANTS: dict[str, list[Mutant]] = {
    "test_attachment_is_sent": [
        Mutant("files are left out", "must be in", "[*parts, ", "["),
        Mutant("only the first of the types is sent", "image/jpeg must be in",
               "attachment.media_type not in ACCEPTED", 'attachment.media_type != "image/png"'),
        Mutant("the text of a message with files is lost", "The text must be in",
               '[*parts, {"type": "text", "text": text}]', "parts"),
    ],
    "test_attachment_that_is_not_accepted_is_named": [
        Mutant("a file that can't be read is left out without a word", "The name of the file must be in",
               'f"[{attachment.name}]"', '"a file"'),
    ],
    "test_answer": [
        Mutant("no opening event", "opening event must come first", STARTED, ""),
        Mutant("two opening events", "must not come between", STARTED, STARTED * 2),
        Mutant("`Started` names another provider", "Started must name", "Started(self.provider, ", "Started('openai', "),
        Mutant("no closing event", "closing event must come last", ANSWER, "return"),
        Mutant("two closing events", "must not come between", ANSWER, f"{ANSWER}; {ANSWER}"),
        Mutant("an event after the closing one", "closing event must come last", ANSWER, f"{ANSWER}; yield Usage()"),
        Mutant("a piece is changed", "do not add up", CHUNK, "yield ChunkReceived(text.strip())"),
        Mutant("a piece is published twice", "do not add up", CHUNK, f"{CHUNK}; {CHUNK}"),
        Mutant("the answer is only its last piece", "do not add up", "self._text += text", "self._text = text"),
        Mutant("`raw` is not JSON", "unchanged from a journal", ANSWER, ANSWER.replace("raw", "object()")),
        Mutant("letters are lost", "has not arrived as it was written",
               '{"role": "user", "content": text}', '{"role": "user", "content": text.replace("ü", "u")}'),
        Mutant("a task is left over", "left tasks behind",
               STARTED, f"{STARTED}        self.task = {ASYNCIO}.ensure_future({ASYNCIO}.sleep(60))\n"),
    ],
    "test_opening_event_precedes_request": [
        Mutant("opening event after the request", "first event came after the request", OPEN_ALL,
               OPEN_ALL.replace(STARTED, "").replace("async for", f"first = await anext(events)\n    {STARTED}"
                                                     "            yield first\n            async for")),
        Mutant("opening event after the request with results", "after the request with the results",
               SUBMITTED, ANOTHER_REQUEST + SUBMITTED),
    ],
    "test_same_answer_with_and_without_stream": [
        Mutant("another answer without a stream", "wrong answer with stream=False",
               "(*reader.feed(reply), *reader.end())", "(AssistantMessageRetrieved('See above.'),)"),
    ],
    "test_length_limit_is_incomplete": [
        Mutant("`length` counts as complete", "incomplete, but ended", INCOMPLETE, "if self._reason == 'content_filter':"),
        Mutant("the API's word for the reason", "wrong text or reason", "INCOMPLETE[self._reason])", "self._reason)"),
        Mutant("an incomplete answer is dropped", "do not add up",
               "MessageIncomplete(self._text, INC", "MessageIncomplete('…', INC"),
    ],
    "test_content_filter_is_incomplete": [
        Mutant("`content_filter` counts as complete", "incomplete, but ended", INCOMPLETE, "if self._reason == 'length':"),
    ],
    "test_answer_that_breaks_off": [
        Mutant("a stream that was cut counts as complete", "must fail with an AssistantError",
               "if not self._reason:", "if False:"),
        Mutant("a stream that was cut counts as incomplete", "must fail with an AssistantError",
               BROKEN_OFF, "yield MessageIncomplete(self._text, 'connection'); return"),
        Mutant("a stream that was cut is our own fault", "must be connection or protocol",
               BROKEN_OFF, BROKEN_OFF.replace("connection", "internal")),
    ],
    "test_error_in_answer": [
        Mutant("an error in the stream is ignored", "must fail with an AssistantError",
               'if error := chunk.get("error"):', 'if (error := chunk.get("error")) is False:'),
        Mutant("an error in the stream has the wrong kind", "kind must be server",
               'api_error(str(error.get("code") or ""), str(', 'AssistantError("protocol", str('),
    ],
    "test_instructions_are_sent": [
        Mutant("instructions are dropped", "instructions were not sent", SYSTEM, "if False else []"),
        Mutant("instructions are dropped with results", "instructions were not sent",
               SYSTEM, "if turn.instructions and isinstance(items[-1], UserMessage) else []"),
        Mutant("the first instructions stay", "instructions were not sent",
               TURN, "self._turn, self._items = self._turn if self._turn.instructions else turn,"),
    ],
    "test_settings_are_sent": [
        Mutant("settings are dropped", "temperature was not sent", " | turn.settings", ""),
        Mutant("settings are dropped with results", "temperature was not sent",
               " | turn.settings", " | (turn.settings if isinstance(items[-1], UserMessage) else {})"),
        Mutant("a setting that nobody has set", "nobody has set it",
               " | turn.settings", " | {'temperature': 1.0} | turn.settings"),
    ],
    "test_model_of_turn_is_asked": [
        Mutant("another model is asked", "was asked instead of", MODEL, '"model": model'),
        Mutant("another model is asked with results", "was asked instead of",
               MODEL, '"model": model if isinstance(items[-1], ToolOutputs) else turn.model or model'),
        Mutant("`Started` names another model", "Started must name", "turn.model or self.model)", "self.model)"),
    ],
    "test_default_model_is_asked": [
        Mutant("no model is asked", "was asked instead of", MODEL, '"model": turn.model'),
    ],
    "test_history_is_sent": [
        Mutant("the history is dropped", "missing or in the wrong place", ITEMS, "[UserMessage(turn.text)]"),
        Mutant("the history is repeated", "more than once", ITEMS, "[*turn.history, *turn.history, UserMessage(turn.text)]"),
        Mutant("the message comes first", "missing or in the wrong place", ITEMS, "[UserMessage(turn.text), *turn.history]"),
        Mutant("another conversation is remembered", "must not see an earlier one",
               ITEMS, "[*(turn.history or self._items), UserMessage(turn.text)]"),
    ],
    "test_history_of_other_provider_is_sent": [
        Mutant("results are left out of the history", "missing or in the wrong place",
               ITEMS, "[*(i for i in turn.history if not isinstance(i, ToolOutputs)), UserMessage(turn.text)]"),
    ],
    "test_new_process_continues": [
        Mutant("only what this process knows is sent", "missing or in the wrong place",
               ITEMS, "[*(turn.history if self._items else []), UserMessage(turn.text)]"),
    ],
    "test_tools_are_offered": [
        Mutant("tools are not offered", "of the tool was not sent", '({"tools": tools} if tools else {})', "{}"),
        Mutant("tools have no description", "of the tool was not sent", '"description": t.description, ', ""),
        Mutant("tools have no parameters", "of the tool was not sent", '"parameters": t.parameters', '"parameters": {}'),
        Mutant("the tools of the first turn stay", "tool was offered that the turn does not have",
               TURN, "self._turn, self._items = self._turn if self._turn.tools else turn,"),
    ],
    "test_schema_is_sent": [
        Mutant("the schema is dropped", "of the schema was not sent", "if turn.schema is not None else None", "if False else None"),
        Mutant("the schema is dropped with results", "of the schema was not sent",
               "if turn.schema is not None else", "if turn.schema is not None and isinstance(items[-1], UserMessage) else"),
        Mutant("the schema has no members", "of the schema was not sent", "named_schema(turn.schema)", "{'name': 'answer'}"),
        Mutant("the schema of the first turn stays", "schema was sent that the turn does not have",
               TURN, "self._turn, self._items = self._turn if self._turn.schema else turn,"),
    ],
    "test_tool_call": [
        Mutant("no opening event with results", "opening event must come first", SUBMITTED, ""),
        Mutant("the wrong opening event with results", "opening event must come first",
               SUBMITTED, "        yield Started(self.provider, self._turn.model)\n"),
        Mutant("calls count as an answer", "Expected tool calls", "elif calls:", "elif False:"),
        Mutant("`arguments` are an object", "unchanged from a journal",
               'call["arguments"] or "{}"', '__import__("json").loads(call["arguments"] or "{}")'),
        Mutant("the key in an event", "key must not occur", SUBMITTED,
               f'{SUBMITTED}        yield ChunkReceived(self._transport._client.headers["authorization"], "commentary")\n'),
    ],
    "test_tool_call_without_arguments": [
        Mutant("no arguments are an empty text", "must be '{}'", 'call["arguments"] or "{}"', 'call["arguments"]'),
    ],
    "test_text_before_tool_call": [
        Mutant("the text is not in the event", "do not add up", "ActionRequired(made, self._text", "ActionRequired(made, ''"),
        Mutant("the text is not sent back", "missing or in the wrong place",
               "AssistantMessage(event.text, event.calls, event.raw)", "AssistantMessage('', event.calls, event.raw)"),
    ],
    "test_parallel_tool_calls": [
        Mutant("calls are dropped", "not the calls made", "in sorted(self._calls)]", "in sorted(self._calls)][:1]"),
        Mutant("calls are reordered", "not the calls made", "in sorted(self._calls)", "in sorted(self._calls, reverse=True)"),
        Mutant("two calls with the same id", "Each call needs its own id", 'ToolCall(call["id"]', 'ToolCall("call"'),
        Mutant("results are reversed", "missing or in the wrong place", "for r in results]", "for r in reversed(results)]"),
        Mutant("results are dropped", "missing or in the wrong place", "for r in results]", "for r in results[:1]]"),
    ],
    "test_several_tool_rounds": [
        Mutant("earlier rounds are forgotten", "missing or in the wrong place",
               "[*items, AssistantMessage(", "[*items[:1], AssistantMessage("),
        Mutant("earlier rounds are repeated", "more than once",
               "[*items, AssistantMessage(", "[*items, *items[1:], AssistantMessage("),
    ],
    "test_failed_tool": [
        Mutant("a failed tool counts as a success", "does not see the error",
               'r.output if r.error is None else f"Error: {r.error}"', "r.output"),
    ],
    "test_every_failure_is_raised": [
        Mutant("a failure before the opening event", "published no event", STARTED, ANOTHER_REQUEST + STARTED),
        on_error("a failure is an answer", "must fail with", "yield AssistantMessageRetrieved(f'Sorry: {error}')"),
        on_error("a failure after the closing event", "must not come between",
                 "yield AssistantMessageRetrieved(f'Sorry: {error}')", "raise"),
        on_error("the wrong kind of error", "kind must be authentication",
                 "raise AssistantError('server', str(error), retryable=error.retryable)"),
        on_error("the key in the message", "key must not occur", "error.args = (f'{error} {key}',)", "raise"),
        on_error("the key in the hint", "key must not occur", "error.hint = f'Check {key}'", "raise"),
        on_error("no message", "has no message", "error.args = ('',)", "raise"),
        on_error("a hint in two lines", "one line each", "error.hint = 'Do this.\\nThen that.'", "raise"),
        on_error("every error is retryable", "retryable must be False", "error.retryable = True", "raise"),
        on_error("no error is retryable", "retryable must be True", "error.retryable = False", "raise"),
        on_error("an error of another class", "authentication", "raise KeyError(error.kind)"),
        on_error("a failure is the end of the proxy", "closed", "await self.aclose()", "raise"),
    ],
    "test_retry_after_is_passed_on": [
        on_error("the time to wait is dropped", "retry_after must be 7", "error.retry_after = None", "raise"),
    ],
    "test_failed_request_can_be_repeated": [
        Mutant("the message of a failed request stays", "more than once",
               ITEMS, "[*(self._items if self._turn is turn else turn.history), UserMessage(turn.text)]"),
    ],
    "test_failed_tool_round_can_be_repeated": [
        Mutant("memory changes before `ActionRequired`", "more than once",
               "        items = [*self._items, ", "        items = self._items = [*self._items, "),
    ],
    "test_conversation": [
        Mutant("memory changes after `ActionRequired`", "missing or in the wrong place",
               REMEMBER, REMEMBER.replace("if isinstance", "yield event\n                if isinstance")
               .removesuffix("                yield event\n")),
    ],
    "test_signature_comes_back": [
        Mutant("`raw` is not sent back", "With the results, the signature", " | (raw or {})]", "]"),
        Mutant("`raw` is not kept for the results", "With the results, the signature", ", event.raw)]", ")]"),
        Mutant("`raw` is only kept in memory", "In the next exchange, the signature",
               ITEMS, "[*(__import__('msgspec').structs.replace(i, raw=None) if isinstance(i, AssistantMessage) else i"
                      " for i in turn.history), UserMessage(turn.text)]"),
    ],
    "test_signature_of_other_model_is_not_sent": [
        Mutant("the `raw` of another model is sent", "of one model was sent to another", OPEN_ALL, OPEN_ALL
               .replace(STARTED, f"{STARTED}        raws = vars(self).setdefault('raws', {{}})\n")
               .replace("*turn.history", "*(AssistantMessage(i.text, (), raws.get(i.text))"
                        " if isinstance(i, AssistantMessage) else i for i in turn.history)")
               .replace("yield event", "yield event; raws[getattr(event, 'text', '')] = getattr(event, 'raw', None)")),
    ],
    "test_close_after_every_event": [
        Mutant("closing is ignored", "ignored GeneratorExit", OPEN, OPEN.replace("yield event", ON_CLOSE + "yield event")),
        Mutant("closing is slow", "stopping took", OPEN,
               OPEN.replace("yield event", f"{ON_CLOSE}await {ASYNCIO}.sleep(0.6)\n                    raise")),
        Mutant("it works only once", "used before", TURN, f"assert not self._items, 'used before'\n        {TURN}"),
    ],
    "test_cancel_after_every_event": [
        Mutant("cancellation is slow", "stopping took", OPEN, "        try:\n    " + OPEN.replace("\n", "\n    ").rstrip(" ")
               + f"        except {ASYNCIO}.CancelledError:\n            await {ASYNCIO}.sleep(0.6)\n            raise\n"),
    ],
    "test_cancel_during_silence": [
        Mutant("a silent model is not waited for", "did not wait", OPEN, OPEN.replace(
            "async with", f"async with {ASYNCIO}.timeout(0.05),")),
    ],
    "test_close_in_answer": [
        Mutant("the request goes on", "Requests that the API still works on", STREAM,
               STREAM.replace("async with aclosing(", "self.kept = events = ").replace(") as events:", "\n        if True:")),
    ],
    "test_aclose_closes_connections": [
        Mutant("connections stay open", "Connections left open", "await self._transport.aclose()", "pass"),
    ],
    "test_conversation_can_be_stopped_at_every_record": [
        Mutant("a stopped tool round is the end of the proxy", "the next exchange ended with", SUBMIT,
               SUBMIT.replace("yield event", ON_CLOSE + "await self.aclose()\n                    raise")),
    ],
}
# fmt: on
