"""Google's own SDK as an oracle, and as a transport: what we send is what it would send, and it reads what we read."""

from __future__ import annotations

from typing import Any

import pytest

from asstproxy.config.profiles import Profile
from asstproxy.core.errors import AssistantError
from asstproxy.core.events import Configured, ErrorOccurred, RetryScheduled
from asstproxy.core.script import State
from asstproxy.providers import connect
from asstproxy.providers.gemini.generate_reader import Reader
from asstproxy.providers.gemini.sdk_transport import GoogleTransport, client_options
from core.stage import Stage
from servers import Call, Cut, GeminiServer, InteractionsServer, Say, Stall, Status, Think, refused_port

from .gemini_stage import APIS, MODEL, WAYS, add, bodies, captured

genai = pytest.importorskip("google.genai")
both = pytest.mark.parametrize("api", APIS)
SERVERS: dict[str, type[GeminiServer]] = {"generate": GeminiServer, "interactions": InteractionsServer}
TURNS: list[Any] = [
    [Think("which?"), Say("Let me see."), Call("add", {"a": 1}), Call("add", {"a": 5})],
    [Say("3, 7")],
    [Think("hm"), Say("Bye.")],
    [Say("Bye bye.")],
]
SETTINGS = {"max_output_tokens": 50, "thinking_summaries": "auto", "thinking_level": "low"}


def on_sdk(server: GeminiServer, api: str, *, transport: str = "sdk", **options: Any) -> Stage:
    settings = {
        "base_url": server.url,
        "api": api,
        "transport": transport,
        "poll": 0.005,
        "silence": options.pop("silence", 5.0),
    }
    return Stage(assistant=connect(Profile("gemini", "gemini", options=settings)), tools=[add], **options)


async def held(stage: Stage) -> Stage:
    stage.conversation.configure(Configured(instructions="Be brief.", settings=SETTINGS))
    for text in ("add", "bye", "bye"):
        record = await stage.conversation.exchange(text)
        assert record.state == State.COMPLETED, record
    await stage.conversation.aclose()
    return stage


@both
@pytest.mark.parametrize("way", WAYS)
async def test_the_same_goes_out(monkeypatch: pytest.MonkeyPatch, api: str, way: str) -> None:
    """Byte for byte the same JSON as without the SDK, and the same is heard."""
    sent, heard = [], []
    for transport in ("http", "sdk"):
        with SERVERS[api](TURNS) as server:
            monkeypatch.setenv("GEMINI_API_KEY", server.key)
            stage = await held(on_sdk(server, api, transport=transport, **WAYS[way]))
            sent.append([(request.method, request.path, plain(request.json)) for request in server.requests])
            heard.append([(record.state, type(record.event)) for record in stage.records])
    assert sent[0] == sent[1]
    assert heard[0] == heard[1]


def plain(value: Any) -> Any:
    """JSON with signatures in one of the two alphabets of base64: they are the same bytes."""
    if isinstance(value, dict):
        return {k: v.replace("-", "+").replace("_", "/") if "ignature" in k else plain(v) for k, v in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


async def test_what_we_send_is_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part of a request fits its own types, which forbid what they do not know."""
    types = genai.types
    with GeminiServer(TURNS) as server:
        monkeypatch.setenv("GEMINI_API_KEY", server.key)
        await held(on_sdk(server, "generate", transport="http"))
        for body in bodies(server):
            for content in body.pop("contents"):
                types.Content.model_validate(content)
            for tool in body.pop("tools"):
                types.Tool.model_validate(tool)
            types.Content.model_validate(body.pop("systemInstruction"))
            types.GenerationConfig.model_validate(body.pop("generationConfig"))
            assert body == {}


@pytest.mark.parametrize("name", ["text", "text_stream", "tool", "tool_stream", "tool_output", "tool_output_stream"])
def test_what_it_reads_is_what_we_read(name: str) -> None:
    """Real answers: the text and the calls are the same."""
    answers = [genai.types.GenerateContentResponse.model_validate(chunk) for chunk in captured(name)]
    text = "".join(part.text or "" for answer in answers for part in answer.parts or [])
    calls = [(call.name, call.args) for answer in answers for call in answer.function_calls or []]
    reader = Reader()
    for chunk in captured(name):
        list(reader.feed(chunk))
    *_, closing = reader.end()
    assert closing.text == text  # type: ignore[attr-defined]
    assert [(c.name, c.arguments) for c in getattr(closing, "calls", ())] == [
        (call, str(args).replace("'", '"')) for call, args in calls
    ]


@both
@pytest.mark.parametrize("enterprise", [False, True])
async def test_a_caller_s_client(api: str, enterprise: bool) -> None:
    """It keeps its key, its address and its mode, and stays open."""
    with SERVERS[api]([[Say("one")], [Say("two")]]) as server:
        options = client_options(server.url, "v1beta1" if enterprise else "v1beta", 5)
        who: dict[str, Any] = {"api_key": server.key}
        client = genai.Client(enterprise=enterprise, http_options=options, **who)
        for _ in range(2):
            assistant = connect(Profile("gemini", "gemini", options={"api": api}), client=client)
            stage = Stage(assistant=assistant)
            assert (await stage.conversation.exchange("hi")).state == State.COMPLETED
            await stage.conversation.aclose()
        await client.aio.aclose()
        client.close()
    if api == "generate":
        assert ("/publishers/google/" in server.requests[0].path) is enterprise


def test_units_and_retries() -> None:
    """Its timeouts are in milliseconds; it never retries behind the driver's back."""
    options: Any = client_options("http://h", "v1beta", 1.5)
    assert (options.timeout, options.retry_options.attempts) == (1500, 1)


@both
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("fault", "kind", "requests"),
    [
        (Status(400, message="API key not valid. Please pass a valid API key."), "authentication", 1),
        (Status(404), "not_found", 1),
        (Status(429, retry_after=0.01), "rate_limit", 3),
        (Status(503), "server", 3),
        (Cut(how="reset"), "connection", 1),
        (Stall(), "timeout", 1),
    ],
    ids=str,
)
async def test_failures(
    monkeypatch: pytest.MonkeyPatch, api: str, stream: bool, fault: Any, kind: str, requests: int
) -> None:
    """Two hierarchies of errors, and raw ones of two HTTP libraries, mean the same; only the driver retries."""
    with SERVERS[api](faults=[fault]) as server:
        monkeypatch.setenv("GEMINI_API_KEY", server.key)
        stage = on_sdk(server, api, stream=stream, silence=0.3)
        record = await stage.conversation.exchange("hi")
        await stage.conversation.aclose()
        assert isinstance(record.event, ErrorOccurred)
        assert (record.event.kind, len(server.requests)) == (kind, requests), record
    assert server.key not in str(stage.records)
    if kind == "rate_limit":
        assert {note.delay for note in stage.published(RetryScheduled)} == {0.01}


@both
async def test_nobody_listens(monkeypatch: pytest.MonkeyPatch, api: str) -> None:
    """The library's own error is told in our words."""
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    with refused_port() as port:
        client = genai.Client(api_key="k", http_options=client_options(f"http://127.0.0.1:{port}", "v1beta", 5))
        transport = GoogleTransport(client, owned=True)
        path = "/interactions" if api == "interactions" else f"/models/{MODEL}:generateContent"
        with pytest.raises(AssistantError) as caught:
            await transport.call("POST", path, {"model": MODEL})
        await transport.aclose()
    assert (caught.value.kind, caught.value.retryable) == ("connection", True)


async def test_a_cut_stream_is_taken_up_over_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its streams end in silence; ours go on."""
    with InteractionsServer([[Say("one two three")]], faults=[Cut(6, how="end", first=1)]) as server:
        monkeypatch.setenv("GEMINI_API_KEY", server.key)
        stage = on_sdk(server, "interactions")
        record = await stage.conversation.exchange("hi")
        await stage.conversation.aclose()
    assert record.event.text == "one two three", record  # type: ignore[union-attr]


async def test_no_login_for_the_sdk(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """The SDK looks for one by itself; what it finds missing is explained."""
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    options = {"transport": "sdk", "project": "p", "base_url": "http://127.0.0.1:9"}
    stage = Stage(assistant=connect(Profile("gemini", "gemini", options=options)))
    record = await stage.conversation.exchange("hi")
    await stage.conversation.aclose()
    assert record.event.kind == "authentication", record  # type: ignore[union-attr]
    assert "gcloud" in record.event.hint  # type: ignore[union-attr]
