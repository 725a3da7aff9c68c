"""How vendors refuse a model, a key or an address: each says it in its way, and the person learns what to do."""

from __future__ import annotations

from typing import Any

import pytest

from asstproxy import Conversation, Options, Profile, RetryPolicy, UserProxy
from asstproxy.config.provider_info import BUILT_IN
from asstproxy.config.vendors import VENDORS
from asstproxy.core.events import ErrorOccurred
from asstproxy.providers import connect

from .case_server import CaseServer, reply, sse

BAD, MISSING = "400 Bad Request", "404 Not Found"
KEY = "wrong-0123456789abcdef"
PLACES = {"azure": {"endpoint": "https://x.openai.azure.com"}, "cloudflare": {"account_id": "a"}}


async def refused(
    name: str, answer: bytes, monkeypatch: pytest.MonkeyPatch, path: str = "/v1", *, stream: bool = True
) -> ErrorOccurred:
    """The error of an exchange with this vendor, whose server gives this answer to a key in its usual variable."""
    info = VENDORS[name].info if name in VENDORS else BUILT_IN[name]
    monkeypatch.setenv(info.key_variables[-1], KEY)
    with CaseServer(answer) as server:
        options: dict[str, Any] = {"base_url": server.url + path} | PLACES.get(name, {})
        conversation = Conversation(
            connect(Profile(name, name, model="foo", options=options)),
            UserProxy(),
            options=Options(stream=stream, retry=RetryPolicy(attempts=1)),
        )
        try:
            event = (await conversation.exchange("hi", timeout=60)).event
        finally:
            await conversation.aclose()
    assert isinstance(event, ErrorOccurred), event
    assert "\n" not in f"{event.message} {event.hint}"
    return event


MODELS = [
    ("openrouter", BAD, {"error": {"message": "foo/bar is not a valid model ID", "code": 400}}),
    ("mistral", BAD, {"object": "error", "message": "Invalid model: foo", "type": "invalid_model", "code": "1500"}),
    ("deepseek", BAD, {"error": {"message": "Model Not Exist", "type": "invalid_request_error"}}),
    ("zai", BAD, {"error": {"code": "1211", "message": "Unknown Model, please check the model code."}}),
    ("xai", BAD, {"code": "invalid", "error": "The model foo does not exist or your team has no access to it."}),
    ("cloudflare", BAD, {"errors": [{"message": "AiError: No such model @cf/foo or task", "code": 5007}]}),
    ("groq", BAD, {"error": {"message": "The model `foo` has been decommissioned and is no longer supported."}}),
    ("huggingface", BAD, {"error": {"message": "Not by any provider.", "code": "model_not_supported"}}),
    ("perplexity", BAD, {"error": {"message": "Invalid model 'foo'. Permitted ones are documented.", "code": 400}}),
    ("azure", MISSING, {"error": {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}}),
    ("azure", MISSING, {"error": {"code": "404", "message": "The API deployment does not exist."}}),
    ("gemini", BAD, {"error": {"code": 400, "message": "unexpected model name format", "status": "INVALID_ARGUMENT"}}),
]


@pytest.mark.parametrize(("name", "status", "body"), MODELS, ids=lambda value: value if isinstance(value, str) else "")
async def test_a_model_that_is_wrong(name: str, status: str, body: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told as such, whatever the status; the server's words are there."""
    error = await refused(name, reply(body, status), monkeypatch)
    assert (error.kind, "model" in error.hint) == ("not_found", True), error
    assert "doesn't seem to" not in error.hint


@pytest.mark.parametrize(
    "words",
    [
        "Unsupported parameter: 'temperature' is not supported with this model.",
        "This model does not support tools",
        "Invalid model output: the tool call can't be parsed.",
        "messages: file not found",
        "Invalid value for key 'tools'",
        "no such tool",
    ],
)
async def test_a_request_that_a_model_does_not_take(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the model's name nor the key is to blame for it."""
    error = await refused("groq", reply({"error": {"message": words}}, BAD), monkeypatch)
    assert error.kind == "invalid_request"


KEYS = [
    ("xai", BAD, {"code": "invalid", "error": "Incorrect API key provided: wr***ef. Obtain one from https://x.test."}),
    ("ai21", BAD, {"detail": "Missing API key"}),
    ("dashscope", BAD, {"code": "InvalidApiKey", "message": "No.", "request_id": "x"}),
    ("dashscope", BAD, {"code": "x", "message": "Invalid API-key provided.", "request_id": "x"}),
    ("cloudflare", BAD, {"success": False, "errors": [{"code": 10000, "message": "Authentication error"}]}),
    ("openrouter", "200 OK", {"error": {"message": "No auth credentials found", "code": 401}}),
    (
        "anthropic",
        "200 OK",
        {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}},
    ),
    ("gpt", "200 OK", {"error": {"message": "Incorrect API key provided.", "code": "invalid_api_key"}}),
    ("gemini", "401 Unauthorized", {"error": "no"}),
]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("name", "status", "body"), KEYS, ids=lambda value: value if isinstance(value, str) else "")
async def test_a_key_that_is_wrong(
    name: str, status: str, body: Any, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line: vendor, variable and page, once each; also where others answer 401, or the refusal comes within an answer."""
    info = VENDORS[name].info if name in VENDORS else BUILT_IN[name]
    answers = [reply(body, status)] + ([sse(body)] if stream and status == "200 OK" else [])
    for answer in answers:
        error = await refused(name, answer, monkeypatch, stream=stream)
        line = f"{error.message} {error.hint}"
        assert error.kind == "authentication", line
        assert [line.count(words) for words in (info.key_variables[-1], info.keys_url)] == [1, 1], line
        assert (info.vendor in line, KEY in line) == (True, False)


@pytest.mark.parametrize("end", ["/chat/completions", "/responses", "/messages"])
@pytest.mark.parametrize("name", ["groq", "xai", "anthropic", "gemini", "gpt"])
async def test_an_address_with_the_path_of_a_request(name: str, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has copied the whole URL: what has to go is named."""
    error = await refused(name, reply({"detail": "Not Found"}, MISSING), monkeypatch, f"/v1{end}")
    assert error.hint == f"Check base_url: leave out {end}."
