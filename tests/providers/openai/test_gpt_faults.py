"""What may go wrong between `gpt` and its server: what it means, what is tried again, what is kept."""

from __future__ import annotations

import pytest

from asstproxy.core.codec import encode
from asstproxy.core.errors import NotSetUpError
from asstproxy.core.events import AssistantMessageRetrieved, ChunkReceived, ErrorOccurred, RetryScheduled
from asstproxy.core.history import AssistantMessage
from asstproxy.core.script import State
from servers import (
    LEGAL_FRAMINGS,
    BrokenJson,
    Cut,
    Drop,
    Duplicate,
    ErrorEvent,
    Fail,
    Fault,
    Framing,
    Gzip,
    Html,
    Redirect,
    ResponsesServer,
    Say,
    Split,
    Stall,
    Status,
    UnknownEvent,
    Vanish,
    refused_port,
)

from .gpt_stage import ASKED, Gpt, asked, script

DELTA = "response.output_text.delta"
HARMLESS: list[Fault] = [
    *(Split(size) for size in (1, 2, 3, 7, 50)),
    *(Framing(kind) for kind in LEGAL_FRAMINGS),
    Gzip(),
    UnknownEvent(3),
    Duplicate("response.in_progress"),
    Drop(DELTA),
    Drop("response.output_text.done"),
    Drop("response.output_item.done"),
    Vanish(),
]


@pytest.mark.parametrize("fault", HARMLESS, ids=repr)
async def test_what_does_no_harm(fault: Fault, server: ResponsesServer, gpt: Gpt) -> None:
    """However the bytes come, the answer is whole, and the next one, too."""
    text = "Grüße \N{EARTH GLOBE EUROPE-AFRICA}\u2028an alle, data: event: \\n\r\n\n und so fort"
    script(server, [Say(text)], [Say(text)])
    server.faults.add(fault)
    stage = gpt()
    for _ in range(2):
        assert (await stage.conversation.exchange("hi")).event == AssistantMessageRetrieved(text)
    assert server.requests[-1] == server.requests[1]
    if not isinstance(fault, Drop):
        assert "".join(chunk.text for chunk in stage.said(ChunkReceived)) == text * 2


CUTS = [Cut(event=6, how="eof"), Cut(event=6, how="reset"), Cut(event=6, how="end"), BrokenJson(6), ErrorEvent(6)]


@pytest.mark.parametrize("transport", ["http", "sdk"])
@pytest.mark.parametrize("fault", CUTS, ids=repr)
async def test_an_answer_that_breaks_off(fault: Fault, transport: str, server: ResponsesServer, gpt: Gpt) -> None:
    """It is an error, also where HTTP has nothing to complain of; it is not asked again, and what was heard is kept."""
    script(server, [Say("one two three four")], [Say("Fine.")])
    server.faults.add(fault)
    stage = gpt(transport=transport)
    last = await stage.conversation.exchange("count")
    assert last.state is State.ERROR
    assert len(asked(server)) == 1
    server.faults.clear()
    assert (await stage.conversation.exchange("go on")).state is State.COMPLETED
    (partial,) = [i for i in stage.conversation.history.items("", "") if isinstance(i, AssistantMessage)][:1]
    assert partial.text
    assert "one two three four".startswith(partial.text)


REFUSED: list[tuple[Fault, str, int]] = [
    (Status(401), "authentication", 1),
    (Status(403), "authentication", 1),
    (Status(404), "not_found", 1),
    (Status(400), "invalid_request", 1),
    (Status(413), "context_length", 1),
    (Status(400, code="context_length_exceeded"), "context_length", 1),
    (Status(429), "rate_limit", 3),
    (Status(429, retry_after=0.02), "rate_limit", 3),
    (Status(429, retry_after=60), "rate_limit", 1),
    (Status(429, retry_after=60, as_date=True), "rate_limit", 1),
    (Status(429, code="insufficient_quota"), "quota", 1),
    (Status(503, headers=(("x-should-retry", "false"),)), "server", 1),
    (Status(429, headers=(("retry-after-ms", "20"),)), "rate_limit", 3),
    (Status(429, headers=(("retry-after-ms", "inf"),)), "rate_limit", 3),
    (Status(429, headers=(("retry-after", "9" * 400),)), "rate_limit", 1),
    (Status(429, headers=(("retry-after", "soon"),)), "rate_limit", 3),
    (Status(500), "server", 3),
    (Status(503), "server", 3),
    (Status(400, code="conversation_locked"), "server", 3),
    (Html(), "protocol", 1),
    (Html(502), "server", 3),
    (ErrorEvent(2), "server", 1),
    (ErrorEvent(2, status=429, shape="nested"), "rate_limit", 3),
    (Cut(), "connection", 1),
    (Stall(), "timeout", 1),
]


@pytest.mark.parametrize("transport", ["http", "sdk"])
@pytest.mark.parametrize(("fault", "kind", "requests"), REFUSED, ids=repr)
async def test_a_refusal(
    fault: Fault, kind: str, requests: int, transport: str, server: ResponsesServer, gpt: Gpt
) -> None:
    """What each failure means, and whether the request is sent again."""
    server.faults.add(fault)
    stage = gpt(transport=transport, silence=0.2 if isinstance(fault, Stall) else 30.0)
    last = await stage.conversation.exchange("hi")
    assert isinstance(last.event, ErrorOccurred)
    assert (last.event.kind, len(asked(server))) == (kind, requests)
    assert len(stage.said(RetryScheduled)) == requests - 1
    assert last.event.hint


@pytest.mark.parametrize("transport", ["http", "sdk"])
@pytest.mark.parametrize("code", ["conversation_locked", None])
async def test_a_second_attempt_may_succeed(
    code: str | None, transport: str, server: ResponsesServer, gpt: Gpt
) -> None:
    """After a failure that passes, the person sees a note and the answer."""
    server.faults.add(Status(400 if code else 500, code=code, first=2, on=ASKED))
    stage = gpt(transport=transport, history="server")
    assert (await stage.conversation.exchange("hi")).state is State.COMPLETED
    assert len(stage.said(RetryScheduled)) == 2
    stage.assert_conforms()


@pytest.mark.parametrize("transport", ["http", "sdk"])
@pytest.mark.parametrize("how", ["refused", "status", "event", "failed"])
async def test_no_message_holds_the_key(how: str, transport: str, server: ResponsesServer, gpt: Gpt) -> None:
    """Neither the key, nor its ends where the server masked it, whatever way its words take."""
    words, key = f"Incorrect API key provided: {server.key}.", server.key
    match how:
        case "refused":
            server.key = "sk-another-one-0123456789"
        case "status":
            server.faults.add(Status(401, message=words))
        case "event":
            server.faults.add(ErrorEvent(2, message=words))
        case "failed":
            script(server, [Fail(message=words)], [Fail(message=words)], [Fail(message=words)])
    stage = gpt(transport=transport)
    last = await stage.conversation.exchange("hi")
    assert isinstance(last.event, ErrorOccurred)
    said = repr([encode(record) for record in stage.records])
    assert "Incorrect API key" in said
    assert not [part for part in (key, key[:8], key[-4:]) if part in said.replace("[key]", "")]


async def test_a_redirect_is_not_followed(server: ResponsesServer, gpt: Gpt) -> None:
    """A captive portal gets neither the key nor the message."""
    server.faults.add(Redirect("https://portal.invalid/login"))
    last = await gpt().conversation.exchange("hi")
    assert isinstance(last.event, ErrorOccurred)
    assert (last.event.kind, len(server.requests)) == ("protocol", 1)


async def test_no_server(server: ResponsesServer, gpt: Gpt) -> None:
    """The message names the address, and it is tried again."""
    with refused_port() as port:
        stage = gpt(base_url=f"http://127.0.0.1:{port}/v1")
        last = await stage.conversation.exchange("hi")
    assert isinstance(last.event, ErrorOccurred)
    assert (last.event.kind, str(port) in last.event.message) == ("connection", True)
    assert len(stage.said(RetryScheduled)) == 2


async def test_without_a_key_nothing_is_sent(
    server: ResponsesServer, gpt: Gpt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing is named, and what to do."""
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(NotSetUpError, match="OPENAI_API_KEY is not set") as caught:
        gpt()
    assert caught.value.hint
    assert server.requests == []
