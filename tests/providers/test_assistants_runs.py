"""What is special about runs: threads that are told, messages gathered by run, runs that end otherwise or elsewhere."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import pytest
from openai import AsyncOpenAI

from asstproxy.core.errors import AssistantError
from asstproxy.core.events import (
    ActionRequired,
    AssistantMessageRetrieved,
    ChunkReceived,
    Event,
    Heartbeat,
    MessageIncomplete,
    Notice,
    ToolCall,
    ToolResult,
)
from asstproxy.core.history import AssistantMessage, Item, ToolOutputs, UserMessage
from asstproxy.core.turn import ToolSpec, Turn
from asstproxy.providers import connect
from asstproxy.providers.assistants_server import connected
from servers import AssistantsServer, Background, Call, Cut, Fail, Incomplete, Json, Output, Say, Status, Wait

from .test_assistants import profile

ADD = ToolSpec("add", "Add two numbers.", {"type": "object", "properties": {}, "required": []})
THREAD = "POST /api/v1/threads"


@pytest.fixture(params=[False, True], ids=["openai", "oaa"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[AssistantsServer]:
    """A server as OpenAI had it, and one like open-assistant-api; the key is set."""
    with AssistantsServer(oaa=request.param) as one:
        monkeypatch.setenv("ASSISTANTS_API_KEY", one.key)
        yield one


async def read(events: AsyncIterator[Event]) -> list[Event]:
    """All of it."""
    return [event async for event in events]


def turn(text: str, *history: Item, stream: bool = True, **more: Any) -> Turn:
    return Turn(text, history=history, tools=(ADD,), stream=stream, **more)


def asked(server: AssistantsServer, path: str) -> int:
    return [str(request) for request in server.requests].count(path)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_long_history_is_told_to_a_new_thread(server: AssistantsServer, stream: bool) -> None:
    """In order, by its roles, with calls and results in words; a thread takes 32 messages at once, the rest follow."""
    history: list[Item] = []
    for n in range(40):
        history += [UserMessage(f"question {n}"), AssistantMessage(f"answer {n}")]
    calls = (ToolCall("c1", "add", '{"a": 1}'), ToolCall("c1b", "add", "{}"))
    results = ToolOutputs((ToolResult("c1", "sum 3"), ToolResult("c1b", error="no numbers")))
    history += [UserMessage("add"), AssistantMessage("Let me see.", calls), results, AssistantMessage("Three.")]
    async with aclosing(connect(profile(server))) as proxy:
        last = (await read(proxy.start_processing(turn("and now?", *history, stream=stream))))[-1]
    assert isinstance(last, AssistantMessageRetrieved)
    seen = server.contexts[-1]
    assert [one["role"] for one in seen] == ["user", "assistant"] * 41 + ["user"]
    assert [one["content"] for one in seen[:4]] == ["question 0", "answer 0", "question 1", "answer 1"]
    told = 'Let me see.\n\n[Called add({"a": 1}): sum 3]\n[Called add({}), which failed: no numbers]\n\nThree.'
    assert seen[-2]["content"] == told
    assert asked(server, THREAD) == 1


async def test_the_thread_goes_on(server: AssistantsServer) -> None:
    """Its id is in `resume`; only the new message is sent."""
    async with aclosing(connect(profile(server))) as proxy:
        first = (await read(proxy.start_processing(turn("one"))))[-1]
        assert isinstance(first, AssistantMessageRetrieved)
        past = (UserMessage("one"), AssistantMessage(first.text))
        await read(proxy.start_processing(turn("two", *past, resume=first.resume)))
    assert asked(server, THREAD) == 1
    assert server.requests[-1].json["additional_messages"] == [{"role": "user", "content": "two"}]


@pytest.mark.parametrize("status", [404, 400])
async def test_a_thread_that_cannot_go_on(server: AssistantsServer, status: int) -> None:
    """Lost, or with a run that is active: the whole conversation goes into a new one, once, with a line for the person."""
    words = (
        "No thread found with id 'thread_1'." if status == 404 else "Thread thread_1 already has an active run run_1."
    )
    past = (UserMessage("one"), AssistantMessage("two"))
    async with aclosing(connect(profile(server))) as proxy:
        server.faults.add(Status(status, message=words, on="/runs$", first=1))
        events = await read(proxy.start_processing(turn("three", *past, resume={"thread": "thread_1"})))
        assert [type(event) for event in events].count(Notice) == 1
        assert isinstance(events[-1], AssistantMessageRetrieved)
        assert [one["content"] for one in server.contexts[-1][:3]] == ["one", "two", "three"]
        server.faults.add(Status(status, message=words, on="/runs$"))
        with pytest.raises(AssistantError, match=r"[Tt]hread"):
            await read(proxy.start_processing(turn("four", *past, resume={"thread": "thread_1"})))


@pytest.mark.parametrize("stream", [True, False])
async def test_the_answer_is_all_that_the_run_wrote(server: AssistantsServer, stream: bool) -> None:
    """Several messages, and nothing of other runs, although the server's list has them, too."""
    server.brain = lambda _: [Say("First this. "), Say("Then that.")]
    async with aclosing(connect(profile(server))) as proxy:
        before = (await read(proxy.start_processing(turn("one", stream=stream))))[-1]
        assert isinstance(before, AssistantMessageRetrieved)
        events = await read(proxy.start_processing(turn("two", resume=before.resume, stream=stream)))
    assert isinstance(events[-1], AssistantMessageRetrieved)
    assert events[-1].text == "First this. \n\nThen that."
    pieces = "".join(event.text for event in events if isinstance(event, ChunkReceived))
    assert pieces == (events[-1].text if stream else "")


@pytest.mark.parametrize("stream", [True, False])
async def test_text_of_an_earlier_round_is_not_told_twice(stream: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came with the calls belongs to them; the rest of the run is the answer."""
    turns: list[list[Output]] = [
        [Say("I look."), Call("add", {"a": 1})],
        [Say("I look again."), Call("add", {"a": 2})],
        [Say("Three.")],
    ]
    with AssistantsServer(turns) as server:
        monkeypatch.setenv("ASSISTANTS_API_KEY", server.key)
        async with aclosing(connect(profile(server))) as proxy:
            last = (await read(proxy.start_processing(turn("add", stream=stream))))[-1]
            texts = []
            while isinstance(last, ActionRequired):
                texts.append(last.text)
                results = [ToolResult(call.call_id, "3") for call in last.calls]
                last = (await read(proxy.submit_tool_outputs(results)))[-1]
    assert isinstance(last, AssistantMessageRetrieved)
    assert [*texts, last.text] == ["I look.", "I look again.", "Three."]


@pytest.mark.parametrize("stream", [True, False])
async def test_runs_that_end_otherwise(stream: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Expired, cut at the context: incomplete, with the text that is there. Failed: by the code, with the server's words."""
    ways: list[list[Output]] = [
        [Say("half"), Incomplete("expired")],
        [Say("half"), Incomplete("max_prompt_tokens")],
        [Fail("rate_limit_exceeded", "Slow down.")],
        [Fail("server_error", "Error code: 429 - {'error': 'Slow down.'}")],
    ]
    with AssistantsServer(ways) as server:
        monkeypatch.setenv("ASSISTANTS_API_KEY", server.key)
        async with aclosing(connect(profile(server))) as proxy:
            for reason in ("expired", "context_length"):
                last = (await read(proxy.start_processing(turn("go", stream=stream))))[-1]
                assert isinstance(last, MessageIncomplete)
                assert (last.text, last.reason) == ("half", reason)
            for _ in range(2):
                with pytest.raises(AssistantError, match=r"Slow down\.") as caught:
                    await read(proxy.start_processing(turn("go", stream=stream)))
                assert (caught.value.kind, caught.value.retryable) == ("rate_limit", True)


async def test_a_run_that_expires_while_a_tool_runs(server: AssistantsServer) -> None:
    """The server no longer takes the results: the run is looked up, and says why."""
    server.brain = lambda _: [Call("add", {"a": 1})]
    async with aclosing(connect(profile(server))) as proxy:
        last = (await read(proxy.start_processing(turn("add"))))[-1]
        assert isinstance(last, ActionRequired)
        (kept,) = server.runs.values()
        kept.head |= {"status": "expired", "required_action": None}
        last = (await read(proxy.submit_tool_outputs([ToolResult(last.calls[0].call_id, "3")])))[-1]
    assert isinstance(last, MessageIncomplete)
    assert last.reason == "expired"


async def test_a_run_that_is_cancelled_elsewhere(server: AssistantsServer) -> None:
    """An error that says so, not an answer that is empty."""
    server.brain = lambda _: [Say("well, "), Wait(60)]
    async with aclosing(connect(profile(server))) as proxy:
        events = proxy.start_processing(turn("go"))
        async for event in events:
            if isinstance(event, ChunkReceived):
                break
        (kept,) = server.runs.values()
        async with aclosing(connected(profile(server))) as other:
            await other.call("POST", f"/threads/{kept.head['thread_id']}/runs/{kept.head['id']}/cancel", {})
        with pytest.raises(AssistantError, match="cancelled at the server"):
            await read(events)


async def test_results_that_were_taken_although_nobody_said_so(server: AssistantsServer) -> None:
    """An answer that broke off before its first byte is looked up; the tools' results are not sent again."""
    turns: list[list[Output]] = [[Call("add", {"a": 1})], [Say("Three.")]]
    server.brain = lambda _: turns.pop(0)
    async with aclosing(connect(profile(server))) as proxy:
        last = (await read(proxy.start_processing(turn("add"))))[-1]
        assert isinstance(last, ActionRequired)
        server.faults.add(Cut(on="/submit_tool_outputs$", first=1))
        last = (await read(proxy.submit_tool_outputs([ToolResult(last.calls[0].call_id, "3")])))[-1]
    assert isinstance(last, AssistantMessageRetrieved)
    assert last.text == "Three."
    assert sum("submit_tool_outputs" in str(request) for request in server.requests) == 1


async def test_a_run_that_began_without_a_stream_goes_on_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """open-assistant-api then answers the results with an empty stream: the run is polled. Another process took it up."""
    turns: list[list[Output]] = [[Call("add", {"a": 1})], [Say("Three.")]]
    with AssistantsServer(turns, oaa=True, background=Background(queued=2)) as server:
        monkeypatch.setenv("ASSISTANTS_API_KEY", server.key)
        async with aclosing(connect(profile(server))) as dying, aclosing(connect(profile(server))) as proxy:
            async with aclosing(dying.start_processing(turn("add", stream=False))) as events:  # type: ignore[type-var]
                token = None
                async for event in events:
                    if isinstance(event, Heartbeat) and event.resume:
                        token = event.resume
                        break
                again = turn("", UserMessage("add"), resume=token, background=True)
                last = (await read(proxy.attach(again)))[-1]  # type: ignore[attr-defined]
            assert isinstance(last, ActionRequired)
            last = (await read(proxy.submit_tool_outputs([ToolResult(last.calls[0].call_id, "3")])))[-1]
    assert isinstance(last, AssistantMessageRetrieved)
    assert last.text == "Three."


async def test_what_a_profile_leaves_open_is_the_assistant_s_own(server: AssistantsServer) -> None:
    """Nothing is sent that was not set: instructions, tools and model of the assistant count then."""
    bare = profile(server).__class__("p", "assistants", options=profile(server).options)
    async with aclosing(connect(bare)) as proxy:
        await read(proxy.start_processing(Turn("hi", settings={"temperature": 0.5}, stream=False)))
    (sent,) = [request.json for request in server.requests if str(request).endswith("/runs")]
    message = {"role": "user", "content": "hi"}
    assert sent == {"assistant_id": server.assistant, "additional_messages": [message], "temperature": 0.5}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_the_server_is_what_the_sdk_takes_it_for() -> None:
    """The oracle of the test server: OpenAI's package provisions, streams and polls on it, tools included."""
    call: Json = {"name": "add", "parameters": {"type": "object", "properties": {}}}
    turns: list[list[Output]] = [
        [Say("I look. "), Call("add", {"a": 1}), Call("add", {"a": 2})],
        [Say("Three.")],
        [Say("Four.")],
    ]
    with AssistantsServer(turns) as server:
        async with AsyncOpenAI(base_url=server.base_url, api_key=server.key) as client:
            beta = client.beta
            tools: Any = [{"type": "function", "function": call}]
            made = await beta.assistants.create(model="gpt-6-luna", instructions="Add.", tools=tools)
            thread = await beta.threads.create(messages=[{"role": "user", "content": "add"}])
            async with beta.threads.runs.stream(thread_id=thread.id, assistant_id=made.id) as stream:
                run = await stream.get_final_run()
            assert run.status == "requires_action"
            assert run.required_action
            calls = run.required_action.submit_tool_outputs.tool_calls
            assert [json.loads(one.function.arguments) for one in calls] == [{"a": 1}, {"a": 2}]
            outputs: Any = [{"tool_call_id": one.id, "output": "3"} for one in calls]
            path: Any = {"thread_id": thread.id, "run_id": run.id}
            async with beta.threads.runs.submit_tool_outputs_stream(**path, tool_outputs=outputs) as stream:
                run = await stream.get_final_run()
                (message,) = await stream.get_final_messages()
            assert (run.status, message.content[0].text.value) == ("completed", "Three.")
            run = await beta.threads.runs.create_and_poll(
                thread_id=thread.id, assistant_id=made.id, additional_messages=[{"role": "user", "content": "more"}]
            )
            listed = await beta.threads.messages.list(thread_id=thread.id, run_id=run.id)
            assert [one.content[0].text.value for one in listed.data] == ["Four."]  # type: ignore[union-attr]
