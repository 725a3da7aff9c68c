"""A server that sends the key back, wherever it puts it: the key is in no record, error, file, traceback or log."""

from __future__ import annotations

import io
import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from asstproxy import AssistantError, Conversation, Options, Profile, Record, RetryPolicy, Store
from asstproxy.core.codec import encode
from asstproxy.core.roles import AssistantProxy
from asstproxy.core.script import SETTLED
from asstproxy.providers import connect
from asstproxy.user import UserProxy
from servers import Server
from servers.wire import Reply, Request

from .echoing import PLACES, EchoingServer

KEY = "sk-ECHOED-zyxwvutsrqponml-0123"
WAYS = {
    "gpt": ("gpt", {}),
    "gpt-sdk": ("gpt", {"transport": "sdk"}),
    "gemini": ("gemini", {}),
    "interactions": ("gemini", {"api": "interactions"}),
}


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """What every library logs, at the level at which it tells most."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


def proxy(way: str, url: str, monkeypatch: pytest.MonkeyPatch) -> AssistantProxy:
    """The Assistant Proxy, with the key from the environment."""
    provider, options = WAYS[way]
    monkeypatch.setenv("ECHO_ONE", KEY)  # a name that does not say that it is a key
    base = f"{url}/v1" if provider == "gpt" else url
    return connect(Profile("p", provider, "m", options={"base_url": base, "api_key_env": "ECHO_ONE", **options}))


async def tells(assistant: AssistantProxy, *, stream: bool) -> AsyncIterator[str]:
    """What one exchange tells anybody who may hear it."""
    session = Store().create()
    conversation = Conversation(
        assistant,
        UserProxy(),
        options=Options(stream=stream, retry=RetryPolicy(attempts=2, delay=0.01)),
        past=session.past,
    )
    conversation.subscribe(session, essential=True)
    heard: list[Record] = []
    conversation.subscribe(heard.append)
    settled = await conversation.exchange("hi")
    assert settled.state in SETTLED
    await conversation.aclose()
    session.close()
    for record in heard:
        yield encode(record).decode()
        yield repr(record)


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "replied"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("way", WAYS)
async def test_a_key_that_comes_back(
    way: str, place: str, stream: bool, tmp_path: Path, logs: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an error of any form, a header, a redirect, an event or rubbish; with every transport, streamed or not."""
    with Server(_nobody) as elsewhere, EchoingServer(place, elsewhere.url) as server:
        told = [line async for line in tells(proxy(way, server.url, monkeypatch), stream=stream)]
        assert server.requests
        sent = " ".join(value for request in server.requests for value in request.headers.values())
        assert KEY in sent  # else nothing is shown here
        assert elsewhere.requests == []  # a redirect is not followed, with the key or without it
    assert not [line for line in told if KEY in line]
    assert KEY not in logs.getvalue()
    assert logs.getvalue()
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file


@pytest.mark.parametrize("place", PLACES)
async def test_a_program_that_asks_for_the_models(
    place: str, logs: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error that a program catches, its hint and its whole traceback."""
    from asstproxy.providers.model_list import list_models

    monkeypatch.setenv("ECHO_ONE", KEY)
    with Server(_nobody) as elsewhere, EchoingServer(place, elsewhere.url) as server:
        profile = Profile("p", "gpt", options={"base_url": f"{server.url}/v1", "api_key_env": "ECHO_ONE"})
        try:
            models = await list_models(profile)
        except AssistantError as error:
            told = "".join(traceback.format_exception(error)) + error.hint + repr(error) + str(error.args)
        else:
            told = repr(models)
        assert elsewhere.requests == []
    assert KEY not in told + logs.getvalue()


async def _nobody(_: Request) -> Reply:
    return Reply(418)
