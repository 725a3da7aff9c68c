"""The fake OpenAI is one that OpenAI's own SDK takes for real."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types import Model
from openai.types.conversations import Conversation
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from servers import Background, Block, Call, Fail, Incomplete, Refuse, ResponsesServer, Say, Think

EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
ASK: dict[str, Any] = {"model": "gpt-6-luna", "input": "hi"}
TWO_CALLS = [Think("which?"), Call("price", {"ticker": "A"}), Call("price", {"ticker": "B"})]


def client_of(server: ResponsesServer) -> AsyncOpenAI:
    """A client that never retries behind the test's back."""
    return AsyncOpenAI(base_url=server.base_url, api_key=server.key, max_retries=0)


async def collect(stream: AsyncIterator[Any]) -> list[Any]:
    return [event async for event in stream]


def outputs(response: Response) -> list[dict[str, Any]]:
    """An answer to each function call."""
    calls = [item for item in response.output if item.type == "function_call"]
    return [{"type": "function_call_output", "call_id": call.call_id, "output": "1"} for call in calls]


def plain(response: Response) -> list[dict[str, Any]]:
    """The output as JSON, to be sent back."""
    return [item.model_dump(mode="json", exclude_none=True) for item in response.output]


TURNS = {
    "text": [Say("Grüße, 世界 \u2028 👋")],
    "commentary": [Say("Let me see.", phase="commentary"), Say("It is 4.", phase="final_answer")],
    "thought": [Think("pondering a bit"), Say("4")],
    "calls": TWO_CALLS,
    "refusal": [Refuse()],
    "length": [Say("too long"), Incomplete()],
    "filter": [Say("you"), Incomplete("content_filter")],
    "failed": [Say("I"), Fail("rate_limit_exceeded", "slow down")],
    "blocked": [Block()],
    "nothing": [],
}


@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
async def test_create_and_stream_agree_with_the_sdk(turn: list[Any]) -> None:
    """Each event and response satisfies the SDK's models; the streamed end is what a plain create would have given."""
    with ResponsesServer([turn, turn]) as server:
        async with client_of(server) as client:
            plain_answer = await client.responses.create(**ASK)
            events = await collect(await client.responses.create(**ASK, stream=True))
        logs = [stored.run.events for stored in server.responses.values()]
        for event in [event for log in logs for event in log]:
            EVENTS.validate_python(event)
        Response.model_validate(next(iter(server.responses.values())).response)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type == f"response.{plain_answer.status}"
    assert events[-1].response.output_text == plain_answer.output_text
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == plain_answer.output_text


async def test_stream_helper_accumulates_what_was_said() -> None:
    """The SDK's strict accumulator agrees with us on every index."""
    with ResponsesServer([[Think("hm"), Say("one two"), *TWO_CALLS[1:]]]) as server:
        async with client_of(server) as client, client.responses.stream(**ASK) as stream:
            await collect(stream)
            final = await stream.get_final_response()
    assert final.output_text == "one two"
    assert len(outputs(final)) == 2


@pytest.mark.parametrize("stored", [True, False])
async def test_tool_loop(stored: bool) -> None:
    """Parallel calls are answered by previous_response_id, or by sending everything back."""
    with ResponsesServer([TWO_CALLS, [Say("both are 1")]]) as server:
        async with client_of(server) as client:
            first = await client.responses.create(**ASK, store=stored)
            back: Any = outputs(first)
            if stored:
                answer = await client.responses.create(model=first.model, input=back, previous_response_id=first.id)
            else:
                history: Any = [{"role": "user", "content": "hi"}, *plain(first), *back]
                answer = await client.responses.create(model=first.model, input=history, store=False)
                with pytest.raises(openai.NotFoundError):
                    await client.responses.retrieve(first.id)
    assert answer.output_text == "both are 1"
    assert [item["type"] for item in server.contexts[-1]] == [
        "message", "reasoning", "function_call", "function_call", "function_call_output", "function_call_output",
    ]  # fmt: skip


async def refused(client: AsyncOpenAI, items: list[dict[str, Any]], message: str) -> None:
    body: Any = [{"role": "user", "content": "hi"}, *items]
    with pytest.raises(openai.BadRequestError, match=message):
        await client.responses.create(model="gpt-6-luna", input=body, store=False)


async def test_altered_history_is_refused() -> None:
    """Reasoning, its blob, phases and missing outputs: what OpenAI rejects, or ought to, is a 400."""
    turn = [Think("which?"), Say("Let me see.", phase="commentary"), Call("price", {}, "call_7")]
    with ResponsesServer([turn]) as server:
        async with client_of(server) as client:
            answer = await client.responses.create(**ASK, store=False)
            thought, said, call = plain(answer)
            output = outputs(answer)[0]
            await refused(client, [thought, said, call], "No tool output found for function call call_7")
            await refused(client, [output], "No tool call found")
            await refused(client, [thought, {**said, "phase": "final_answer"}, call, output], "phase")
            await refused(client, [said, call, output], "without its required 'reasoning' item")
            spoiled = {**thought, "encrypted_content": "gAAAAAforged"}
            await refused(client, [spoiled, said, call, output], "could not be verified")
            await refused(client, [{**thought, "summary": []}, said, call, output], "altered")


async def test_background_is_polled_to_its_end() -> None:
    """Queued, in progress, completed: as many polls as were asked for."""
    with ResponsesServer(background=Background(queued=2, running=1)) as server:
        async with client_of(server) as client:
            response = await client.responses.create(**ASK, background=True)
            seen = [response.status]
            while response.status in {"queued", "in_progress"}:
                response = await client.responses.retrieve(response.id)
                seen.append(response.status)
    assert seen == ["queued", "queued", "queued", "in_progress", "completed"]
    assert response.output_text == "You said: hi"


async def test_background_is_cancelled_and_stays_so() -> None:
    """Cancel is idempotent, and for background responses only."""
    with ResponsesServer() as server:
        async with client_of(server) as client:
            waiting = await client.responses.create(**ASK, background=True)
            assert (await client.responses.cancel(waiting.id)).status == "cancelled"
            assert (await client.responses.cancel(waiting.id)).status == "cancelled"
            done = await client.responses.create(**ASK)
            with pytest.raises(openai.BadRequestError, match="synchronous"):
                await client.responses.cancel(done.id)


async def test_background_stream_is_resumed_after_a_number() -> None:
    """The events after N come once, the terminal one too, until the window closes."""
    with ResponsesServer([[Say("one two three four", pace=0.02)]]) as server:
        async with client_of(server) as client:
            stream = await client.responses.create(**ASK, background=True, stream=True)
            head = []
            async for event in stream:
                head.append(event)
                if event.type == "response.output_text.delta":
                    break
            await stream.close()
            response_id, last = head[0].response.id, head[-1].sequence_number
            tail = await collect(await client.responses.retrieve(response_id, stream=True, starting_after=last))
            numbers = [event.sequence_number for event in [*head, *tail]]
            assert numbers == list(range(len(numbers)))
            assert tail[-1].response.output_text == "one two three four"
            server.stream_window = 0
            with pytest.raises(openai.BadRequestError, match="more than 5 minutes old"):
                await client.responses.retrieve(response_id, stream=True, starting_after=last)
            assert (await client.responses.retrieve(response_id)).status == "completed"


async def test_a_client_that_leaves_stops_the_model() -> None:
    """Closing the connection cancels a run that is not in the background, and frees its conversation."""
    with ResponsesServer([[Say("a b c d e f", pace=0.05)], [Say("ok")]]) as server:
        async with client_of(server) as client:
            conversation = await client.conversations.create()
            body = ASK | {"conversation": conversation.id}
            stream = await client.responses.create(**body, stream=True)
            async for event in stream:
                if event.type == "response.output_text.delta":
                    break
            with pytest.raises(openai.BadRequestError, match="Another process"):
                await client.responses.create(**body)
            await stream.close()
            await server.eventually(lambda server: server.disconnects == 1)
            assert (await client.responses.create(**body)).output_text == "ok"
            assert len((await client.conversations.items.list(conversation.id)).data) == 2
        await server.eventually(lambda server: server.open_connections == 0)


async def test_an_orphan_call_may_stay_behind() -> None:
    """A cancel can race with the commit of a call; the next request on that conversation has to answer it."""
    turn = [Call("price", {}, "call_7"), Say("a b c d", pace=0.05)]
    with ResponsesServer([turn, [Say("ok")]], commit_on_cancel=True) as server:
        async with client_of(server) as client:
            conversation = await client.conversations.create()
            body = ASK | {"conversation": conversation.id}
            stream = await client.responses.create(**body, stream=True)
            async for event in stream:
                if event.type == "response.output_text.delta":
                    break
            await stream.close()
            await server.eventually(lambda server: server.disconnects == 1)
            with pytest.raises(openai.BadRequestError, match="No tool output found for function call call_7"):
                await client.responses.create(**body)
            aborted: Any = [{"type": "function_call_output", "call_id": "call_7", "output": "aborted"}]
            answer = await client.responses.create(**body | {"input": aborted})
    assert answer.output_text == "ok"


async def test_a_client_that_leaves_a_silent_server_is_noticed() -> None:
    """Also before the first byte."""
    with ResponsesServer([[Say("slow", pace=9, pieces=["slo", "w"])]]) as server:
        async with client_of(server) as client:
            asking = asyncio.create_task(client.responses.create(**ASK))
            await server.eventually(lambda server: len(server.requests) == 1)
            asking.cancel()
            await asyncio.wait({asking})
            await server.eventually(lambda server: server.disconnects == 1)


async def test_conversations() -> None:
    """Items are kept, appended when an answer completes, paged, and belong to a conversation that can go."""
    with ResponsesServer([TWO_CALLS, [Say("both are 1")]]) as server:
        async with client_of(server) as client:
            made = await client.conversations.create(metadata={"who": "me"})
            Conversation.model_validate(made.model_dump())
            first = await client.responses.create(**ASK, conversation=made.id)
            assert first.conversation is not None
            await client.responses.create(model="gpt-6-luna", input=outputs(first), conversation=made.id)  # type: ignore[arg-type]
            listed = [item async for item in client.conversations.items.list(made.id, limit=2, order="asc")]
            kinds = [item.type for item in listed]
            assert kinds == ["message", "reasoning", *["function_call"] * 2, *["function_call_output"] * 2, "message"]
            added = await client.conversations.items.create(made.id, items=[{"role": "user", "content": "more"}])
            await client.conversations.items.delete(added.data[0].id or "", conversation_id=made.id)
            assert (await client.conversations.retrieve(made.id)).metadata == {"who": "me"}
            assert (await client.conversations.delete(made.id)).deleted
            with pytest.raises(openai.NotFoundError):
                await client.responses.create(**ASK, conversation=made.id)


async def test_refusals() -> None:
    """Each refusal has OpenAI's status, code and words."""
    with ResponsesServer() as server:
        async with client_of(server) as client:
            with pytest.raises(openai.NotFoundError) as unknown:
                await client.responses.create(model="gpt-2", input="hi")
            assert unknown.value.code == "model_not_found"
            with pytest.raises(openai.BadRequestError, match="Unknown parameter"):
                await client.responses.create(**ASK, extra_body={"assistant_id": "asst_1"})
            tool: Any = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}
            with pytest.raises(openai.BadRequestError, match="additionalProperties"):
                await client.responses.create(**ASK, tools=[tool])
            with pytest.raises(openai.BadRequestError, match="Previous response"):
                await client.responses.create(**ASK, previous_response_id="resp_x")
        async with AsyncOpenAI(base_url=server.base_url, api_key="sk-wrong-key-123456", max_retries=0) as client:
            with pytest.raises(openai.AuthenticationError) as denied:
                await client.models.list()
            assert "sk-wrong*******3456" in str(denied.value)


async def test_models_name_their_end() -> None:
    """The list says which models are about to go."""
    with ResponsesServer() as server:
        async with client_of(server) as client:
            models = [Model.model_validate(model.model_dump()) async for model in client.models.list()]
    assert {model.id: model.shutdown_date for model in models}["o3"] == "2026-12-11"


async def test_chat_completions() -> None:
    """The older API says the same, for programs that know no other."""
    with ResponsesServer([[Say("one two")], [Say("one two")], TWO_CALLS]) as server:
        async with client_of(server) as client:
            ask: Any = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": "hi"}]}
            whole = await client.chat.completions.create(**ask)
            chunks = await collect(await client.chat.completions.create(**ask, stream=True))
            called = await client.chat.completions.create(**ask)
    assert whole.choices[0].message.content == "one two"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "one two"
    assert len(called.choices[0].message.tool_calls or []) == 2


def test_a_mistake_in_the_script_fails_the_test() -> None:
    """A brain that raises is reported when the server stops; it does not pass for a served 500."""
    with pytest.raises(ExceptionGroup) as failed, ResponsesServer([]) as server:  # noqa: PT012
        sync = openai.OpenAI(base_url=server.base_url, api_key=server.key, max_retries=0)
        with sync, pytest.raises(openai.InternalServerError):
            sync.responses.create(**ASK)
    assert "no turn left" in str(failed.value.exceptions[0])
