"""The fake Interactions API, over plain HTTP and with Google's own client."""

from typing import Any

import httpx2
import pytest

from . import sse
from .brain import Block, Call, Fail, Incomplete, Output, Refuse, Say, Think
from .faults import Cut, ErrorEvent
from .interactions import InteractionsServer
from .runs import Background

ASK: dict[str, Any] = {"model": "gemini-3.8-flash", "input": "hi"}
CALLS: list[Output] = [Think("which?"), Call("price", {"t": "A"}), Call("price", {"t": "B"})]


class Client:
    """Plain requests with the key."""

    def __init__(self, server: InteractionsServer) -> None:
        self._server = server

    def http(self, method: str, path: str = "", **kwargs: Any) -> httpx2.Response:
        url = f"{self._server.url}/v1beta/interactions{path}"
        return httpx2.request(method, url, headers={"x-goog-api-key": self._server.key}, **kwargs)

    def create(self, **body: Any) -> Any:
        return self.http("POST", json=ASK | body).json()

    def refusal(self, **body: Any) -> str:
        answer = self.http("POST", json=ASK | body)
        assert answer.status_code in {400, 404}
        return str(answer.json()["error"]["message"])

    def get(self, name: str, **query: Any) -> Any:
        return self.http("GET", f"/{name}", params=query).json()

    def stream(self, **body: Any) -> list[Any]:
        return events(self.http("POST", json=ASK | body | {"stream": True}))


def events(answer: httpx2.Response) -> list[Any]:
    assert answer.status_code == 200
    return [sse.payload(part.encode()) for part in answer.text.split("\n\n") if part]


def results(interaction: Any) -> list[dict[str, Any]]:
    """An answer to each function call."""
    calls = [step for step in interaction["steps"] if step["type"] == "function_call"]
    return [{"type": "function_result", "call_id": call["id"], "name": call["name"], "result": "1"} for call in calls]


def test_create_and_stream_agree() -> None:
    """Steps are the sum of their deltas; the stream ends with its terminal event and [DONE]."""
    turn: list[Output] = [Think("hm hm"), Say("Grüße, 世界 \u2028 👋")]
    config = {"thinking_summaries": "auto"}
    with InteractionsServer([turn, turn]) as server:
        client = Client(server)
        plain = client.create(generation_config=config)
        streamed = client.stream(generation_config=config)
    assert plain["status"] == "completed"
    thought, said = plain["steps"]
    assert thought["summary"] == [{"type": "text", "text": "hm hm"}]
    assert [event and event["event_type"] for event in streamed[:3]] == [
        "interaction.created",
        "interaction.status_update",
        "step.start",
    ]
    assert (streamed[-2]["event_type"], streamed[-1]) == ("interaction.completed", None)
    deltas = [event["delta"] for event in streamed[:-1] if event["event_type"] == "step.delta"]
    assert "".join(delta.get("text", "") for delta in deltas) == said["content"][0]["text"]
    assert len([delta for delta in deltas if delta["type"] == "thought_signature"]) == 1
    assert streamed[-2]["interaction"]["usage"] == plain["usage"]
    assert len({event["event_id"] for event in streamed[:-1]}) == len(streamed) - 1


@pytest.mark.parametrize("stored", [True, False])
def test_tool_loop(stored: bool) -> None:
    """Calls require action; results go to a new interaction, with the history here or there."""
    with InteractionsServer([CALLS, [Say("ok")]]) as server:
        client = Client(server)
        first = client.create(store=stored)
        assert first["status"] == "requires_action"
        if stored:
            assert "no function_result" in client.refusal(previous_interaction_id=first["id"])
            second = client.create(previous_interaction_id=first["id"], input=results(first))
        else:
            prompt = {"type": "user_input", "content": [{"type": "text", "text": "hi"}]}
            spoiled = [{**first["steps"][0], "signature": "AAAA"}, *first["steps"][1:]]
            assert "Corrupted" in client.refusal(store=False, input=[prompt, *spoiled, *results(first)])
            assert "not found" in client.refusal(previous_interaction_id=first["id"])
            second = client.create(store=False, input=[prompt, *first["steps"], *results(first)])
    assert second["steps"][0]["content"][0]["text"] == "ok"
    kinds = ["user_input", "thought", *["function_call"] * 2, *["function_result"] * 2]
    assert [step["type"] for step in server.contexts[-1]] == kinds


def test_background_is_polled_and_cancelled() -> None:
    """Queued, in progress, completed; only background interactions can be cancelled."""
    with InteractionsServer(background=Background(queued=1, running=1)) as server:
        client = Client(server)
        made = client.create(background=True)
        seen = [client.get(made["id"])["status"] for _ in range(3)]
        assert seen == ["queued", "in_progress", "completed"]
        assert client.get(made["id"], include_input="true")["input"][0]["type"] == "user_input"
        other = client.create(background=True)
        assert client.http("POST", f"/{other['id']}/cancel").json()["status"] == "cancelled"
        assert client.http("POST", f"/{client.create()['id']}/cancel").status_code == 400
        assert client.http("DELETE", f"/{other['id']}").json() == {}
        assert client.http("GET", f"/{other['id']}").status_code == 404
        assert client.refusal(background=True, store=False)


def test_a_stream_that_was_cut_is_resumed() -> None:
    """A clean cut looks like an end; the rest is there, after the last event's id."""
    with InteractionsServer([[Say("one two three", pace=0.02)]], faults=[Cut(5, how="end", first=1)]) as server:
        client = Client(server)
        head = client.stream()
        assert head[-1]["event_type"] == "step.delta"
        last = {"stream": "true", "last_event_id": head[-1]["event_id"]}
        tail = events(client.http("GET", f"/{head[0]['interaction']['id']}", params=last))
        assert tail[-2]["event_type"] == "interaction.completed"
        ids = [event["event_id"] for event in [*head, *tail[:-1]]]
        assert ids == sorted(set(ids))


def test_every_ending() -> None:
    """Errors are events, and stay in the interaction; the rest is a status."""
    turns: list[list[Output]] = [
        [Say("a"), Fail("internal_error", "oops")],
        [Block()],
        [Say("a"), Incomplete()],
        [Refuse()],
    ]
    with InteractionsServer(turns) as server:
        client = Client(server)
        failed = client.stream()
        assert failed[-2]["error"] == {"code": "internal_error", "message": "oops"}
        assert client.get(failed[0]["interaction"]["id"])["status"] == "failed"
        assert client.create()["status"] == "failed"
        assert client.stream()[-2]["interaction"]["status"] == "incomplete"
        assert client.create()["status"] == "completed"
        server.faults.add(ErrorEvent(2, "nested"))
        server.brain = lambda _: [Say("x")]
        assert client.stream()[-1]["event_type"] == "error"


async def test_the_sdk_agrees() -> None:
    """Google's own client reads all of it, and what it sends back is accepted."""
    genai = pytest.importorskip("google.genai")
    turns: list[list[Output]] = [CALLS, [Say("ok ok")], [Say("a"), Fail("internal_error", "oops")], [Say("bg")]]
    with InteractionsServer(turns) as server:
        options = genai.types.HttpOptions(base_url=server.url, api_version="v1beta")
        client = genai.Client(api_key=server.key, http_options=options)
        async with client.aio as aio:
            tool = {"type": "function", "name": "price", "parameters": {"type": "object"}}
            ask = ASK | {"tools": [tool], "system_instruction": "Be brief."}
            first = await aio.interactions.create(**ask)
            assert first.status == "requires_action"
            body = ask | {"previous_interaction_id": first.id, "input": results(first.model_dump(mode="json"))}
            seen = [event async for event in await aio.interactions.create(**body, stream=True)]
            assert "UNKNOWN" not in {event.event_type for event in seen}
            texts = [
                event.delta.text for event in seen if event.event_type == "step.delta" and event.delta.type == "text"
            ]
            assert "".join(texts) == "ok ok"
            assert seen[-1].interaction.usage.total_tokens > 0
            failed = [event async for event in await aio.interactions.create(**ASK, stream=True)]
            assert failed[-1].error.message == "oops"
            made = await aio.interactions.create(**ASK, background=True)
            statuses = [(await aio.interactions.get(made.id)).status for _ in range(3)]
            assert statuses == ["queued", "in_progress", "completed"]
        client.close()
