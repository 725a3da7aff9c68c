"""A server that puts the key into an answer, its reasoning, a tool call, a reason: neither screen nor journal gets it."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from asstproxy import Conversation, Profile, Record, Store
from asstproxy.core.codec import encode
from asstproxy.core.events import AssistantMessageRetrieved, ChunkReceived
from asstproxy.core.script import SETTLED
from asstproxy.providers import connect
from asstproxy.user import UserProxy
from servers import Call, Incomplete, Output, ResponsesServer, Say, Think

KEY = "sk-ECHOED-zyxwvutsrqponml-0123"
ECHOES: dict[str, list[Output]] = {
    "answer": [Say(f"Your key is {KEY}, and more.")],
    "answer, spaced": [Say(f"Your key is {' '.join(KEY)}, and more.")],
    "answer, base64": [Say(f"Your key is {base64.b64encode(KEY.encode()).decode()}, and more.")],
    "reasoning": [Think(f"The key {KEY} is odd."), Say("Well.")],
    "arguments": [Call("look", {"text": KEY})],
    "name": [Call(KEY, {"text": "a"})],
    "cut answer": [Say(f"Your key is {KEY[:20]}"), Incomplete("max_output_tokens")],
    "reason": [Say("Well"), Incomplete(f"because of {KEY}")],
}


def look(text: str) -> str:
    """Look."""
    return f"seen {text}"


@pytest.mark.parametrize("transport", ["http", "sdk"])
@pytest.mark.parametrize("echo", ECHOES)
async def test_an_echoed_key_is_not_published(echo: str, transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in no record and no file, and a tool gets it neither; what is around it is there."""
    if transport == "sdk":
        pytest.importorskip("openai")
    replies: Iterator[list[Output]] = iter([ECHOES[echo], [Say("Done.")]])
    with ResponsesServer(key=KEY) as server:
        server.brain = lambda _: next(replies)
        monkeypatch.setenv("ECHO_ONE", KEY)  # a name that does not say that it is a key
        options = {"base_url": server.base_url, "api_key_env": "ECHO_ONE"} | (
            {} if transport == "http" else {"transport": "sdk"}
        )
        session = Store().create()
        conversation = Conversation(
            connect(Profile("p", "gpt", options=options)),
            UserProxy([look]),
            past=session.past,
        )
        conversation.subscribe(session, essential=True)
        seen: list[Record] = []
        conversation.subscribe(seen.append)
        settled = await conversation.exchange("hi")
        await conversation.aclose()
        session.close()
    assert settled.state in SETTLED
    told = b"".join(map(encode, seen)) + session.path.read_bytes() + session.path.with_suffix(".json").read_bytes()
    assert b"[key]" in told
    for form in (KEY[:14], " ".join(KEY[:14]), base64.b64encode(KEY.encode()).decode()[:14], KEY[-12:]):
        assert form.encode() not in told
    if echo == "answer":
        streamed = "".join(record.event.text for record in seen if isinstance(record.event, ChunkReceived))
        assert isinstance(settled.event, AssistantMessageRetrieved)
        assert settled.event.text == "Your key is [key], and more."
        assert "[key]" in streamed
        assert streamed.endswith(", and more.")
