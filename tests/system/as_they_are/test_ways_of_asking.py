"""What is asked, and what is shown of an answer: the server's own tools, sources, work in the background, fitting hints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .asking import PROVIDERS, asst, profile_for
from .case_server import CaseServer, reply, sse

OK: dict[str, dict[str, Any]] = {
    "gpt": {
        "id": "r1",
        "status": "completed",
        "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}],
    },
    "chat": {"choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]},
    "gemini": {"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]},
    "interactions": {
        "id": "i1",
        "status": "completed",
        "steps": [{"type": "model_output", "content": [{"type": "text", "text": "Hi"}]}],
    },
}
OK["local"] = OK["gpt"]


@pytest.mark.parametrize("name", PROVIDERS)
def test_hosted_tools_join_the_functions(name: str, tmp_path: Path) -> None:
    """A setting `tools` adds the server's tools to the person's functions, in every API."""
    (tmp_path / "add.py").write_text('def add(a: int, b: int) -> int:\n    """Add."""\n    return a + b\n')
    with CaseServer(reply(OK[name])) as server:
        profile = profile_for(name, server.url, settings={"tools": '[{type = "web_search"}]'})
        done = asst(tmp_path, profile, "ask", "-q", "--no-stream", "-p", "p", "-t", "./add.py", "hi")
    assert (done.stdout, done.returncode) == ("Hi\n", 0), done.stderr
    functions, hosted = server.bodies[0]["tools"]
    assert hosted == {"type": "web_search"}
    assert "add" in str(functions)


def test_an_interaction_that_is_not_streamed_says_so(tmp_path: Path) -> None:
    """`"stream": false` is sent, because servers differ in what they do without it."""
    with CaseServer(reply(OK["interactions"])) as server:
        done = asst(
            tmp_path, profile_for("interactions", server.url), "ask", "-q", "--no-stream", "--no-tools", "-p", "p", "hi"
        )
    assert (done.stdout, server.bodies[0]["stream"]) == ("Hi\n", False)


# ---- in the background -------------------------------------------------------------------------------------------------


def test_a_server_that_refuses_to_stream_in_the_background_is_polled(tmp_path: Path) -> None:
    """OGX takes `stream` or `background`, not both: the request is made again without `stream`, and nobody has to know."""
    refused = reply({"detail": "Cannot use 'stream' with 'background'."}, "400 Bad Request")
    with CaseServer(refused, reply(OK["gpt"])) as server:
        done = asst(
            tmp_path, profile_for("gpt", server.url), "ask", "-q", "--background", "--no-tools", "-p", "p", "hi"
        )
    assert (done.stdout, done.stderr, done.returncode) == ("Hi\n", "", 0)
    assert [body.get("stream") for body in server.bodies] == [True, None]
    assert all(body["background"] for body in server.bodies)


@pytest.mark.parametrize("stored", [False, True], ids=["new", "continued"])
def test_a_server_that_keeps_no_interactions(stored: bool, tmp_path: Path) -> None:
    """aimock: it knows no interaction again. That is told once, however many rounds of tools there are, and all is sent."""
    (tmp_path / "add.py").write_text('def add(a: int, b: int) -> int:\n    """Add."""\n    return a + b\n')
    calls = [
        reply(
            {
                "id": f"i{number}",
                "status": "requires_action",
                "steps": [{"type": "function_call", "id": f"c{number}", "name": "add", "arguments": {"a": 1, "b": 2}}],
            }
        )
        for number in range(3)
    ]
    gone = reply({"error": {"message": "Interaction not found", "code": "not_found"}}, "404 Not Found")
    before = [reply(OK["interactions"] | {"id": "old"}), gone] if stored else []
    with CaseServer(*before, calls[0], gone, calls[1], calls[2], reply(OK["interactions"])) as server:
        profile = profile_for("interactions", server.url)
        if stored:
            asst(tmp_path, profile, "ask", "-q", "--no-stream", "-t", "./add.py", "-p", "p", "hi")
        words = ("-c",) if stored else ("-p", "p")
        done = asst(tmp_path, profile, "ask", "--no-stream", "-t", "./add.py", *words, "hello")
    assert (done.stdout, done.returncode) == ("Hi\n", 0), done.stderr
    assert done.stderr.count("Google no longer has this conversation") == 1
    assert [kind for step in server.bodies[-1]["input"] if (kind := step["type"]) == "function_result"] == [
        "function_result"
    ] * 3


# ---- hints that fit ----------------------------------------------------------------------------------------------------

NO_ROUTE = ({"detail": "Not Found"}, "404 page not found", "<html><h1>404</h1></html>", {"error": "Cannot POST"}, "")


@pytest.mark.parametrize("body", NO_ROUTE, ids=str)
@pytest.mark.parametrize("options", [(), ("--no-stream",)], ids=["streamed", "replied"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gpt", 'provider = "chat-completions"'),
        ("local", 'provider = "chat-completions"'),
        ("chat", "it often ends in /v1"),
        ("interactions", 'api = "generate"'),
    ],
)
def test_a_server_without_this_api(name: str, words: str, options: tuple[str, ...], body: Any, tmp_path: Path) -> None:
    """A 404 of the API itself says what to use instead, and does not blame the model."""
    if options == () and body != NO_ROUTE[0]:
        pytest.skip("the body is read in the same way for a stream")
    with CaseServer(reply(body, "404 Not Found")) as server:
        done = asst(tmp_path, profile_for(name, server.url), "ask", "-q", *options, "--no-tools", "-p", "p", "hi")
    (line,) = done.stderr.splitlines()
    assert (done.stdout, done.returncode) == ("", 1)
    assert words in line
    assert "model's name" not in line


def test_a_server_without_conversations(tmp_path: Path) -> None:
    """The option that would work is named."""
    with CaseServer(reply({"detail": "Not Found"}, "404 Not Found")) as server:
        profile = profile_for("gpt", server.url, history="server")
        done = asst(tmp_path, profile, "ask", "-q", "--no-tools", "-p", "p", "hi")
    assert 'history = "client"' in done.stderr


@pytest.mark.parametrize("name", ["gpt", "local", "chat"])
@pytest.mark.parametrize(
    ("message", "status", "words"),
    [
        ("The model `m` does not exist.", "404 Not Found", "Check the model's name"),
        (
            "/responses: Invalid model name passed in model=m. Call `/v1/models`",
            "400 Bad Request",
            "Check the model's name",
        ),
        ("No connected db.", "400 Bad Request", "Check the key"),
    ],
)
def test_what_servers_mean(name: str, message: str, status: str, words: str, tmp_path: Path) -> None:
    """A model that is missing and a key that is wrong are told as such, whatever the status."""
    body = {"error": {"message": message, "type": "None", "param": "None", "code": status[:3]}}
    with CaseServer(reply(body, status)) as server:
        done = asst(tmp_path, profile_for(name, server.url), "ask", "-q", "--no-tools", "-p", "p", "hi")
    (line,) = done.stderr.splitlines()
    assert message in line
    assert words in line


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_hint_is_not_given_twice(name: str, tmp_path: Path) -> None:
    """The command that tries again comes instead of the words."""
    with CaseServer(sse("data: null")) as server:
        done = asst(tmp_path, profile_for(name, server.url), "ask", "--no-tools", "-p", "p", "hi")
    assert done.returncode == 1
    assert "ended before its last event. Try again: asst ask --retry --session" in done.stderr


# ---- endings in plain words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["OTHER", "IMAGE_OTHER", "NO_IMAGE", "SOMETHING_NEW"])
@pytest.mark.parametrize("text", ["", "Half"])
def test_gemini_s_reasons(reason: str, text: str, tmp_path: Path) -> None:
    """A reason without details ends the answer as incomplete, or as a failure if there is none, in words."""
    parts = [{"text": text}] if text else []
    with CaseServer(reply({"candidates": [{"content": {"parts": parts}, "finishReason": reason}]})) as server:
        profile = profile_for("gemini", server.url)
        done = asst(tmp_path, profile, "ask", "--no-stream", "--no-tools", "-p", "p", "hi")
    assert (done.stdout.strip(), done.returncode) == (text, 4 if text else 1)
    known = reason != "SOMETHING_NEW"
    assert (reason in done.stderr or reason.lower() in done.stderr) is not known, done.stderr
    assert "_" not in done.stderr or not known


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("gpt", "incomplete", "Cut short: the provider doesn't say why."),
        ("gpt", "failed", "The response failed."),
        ("gpt", "cancelled", "The response was cancelled at the provider."),
        ("interactions", "failed", "The interaction failed."),
        ("interactions", "cancelled", "The interaction was cancelled at Google."),
    ],
)
def test_an_ending_without_details(name: str, status: str, words: str, tmp_path: Path) -> None:
    """`incomplete`, `failed` and `cancelled` alone are worded, too."""
    with CaseServer(reply(OK[name] | {"status": status})) as server:
        profile = profile_for(name, server.url)
        done = asst(tmp_path, profile, "ask", "-q", "--no-stream", "--no-tools", "-p", "p", "hi")
    assert done.returncode == (4 if status == "incomplete" else 1)
    assert words in done.stderr


# ---- what an answer cites ----------------------------------------------------------------------------------------------

PAGE, SHADY = "https://example.org/a?b=1&c=2", "javascript:alert(1)"


def with_sources(name: str) -> dict[str, Any]:
    """A reply that cites two pages, one of them twice, and names one of them in no safe way."""
    told = [{"url": PAGE, "title": "A [page] <b>"}, {"url": PAGE, "title": ""}, {"url": SHADY, "title": "x"}]
    annotations = [{"type": "url_citation", **one} for one in told]
    match name:
        case "chat":
            nested = [{"type": "url_citation", "url_citation": one} for one in told]
            message = {"role": "assistant", "content": "Hi", "annotations": nested}
            return {"choices": [{"message": message, "finish_reason": "stop"}]}
        case "gemini":
            chunks = [{"web": {"uri": one["url"], "title": one["title"]}} for one in told]
            found = {"groundingMetadata": {"groundingChunks": chunks}}
            return {"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP", **found}]}
        case "interactions":
            content = [{"type": "text", "text": "Hi", "annotations": annotations}]
            return {"id": "i1", "status": "completed", "steps": [{"type": "model_output", "content": content}]}
    content = [{"type": "output_text", "text": "Hi", "annotations": annotations}]
    message = {"type": "message", "role": "assistant", "content": content}
    return {"id": "r1", "status": "completed", "output": [message]}


@pytest.mark.parametrize("name", PROVIDERS)
def test_sources_are_kept(name: str, tmp_path: Path) -> None:
    """In `--json`, once each; as footnotes below the answer on a screen; in exports, where only web addresses are links."""
    with CaseServer(reply(with_sources(name))) as server:
        profile = profile_for(name, server.url)
        done = asst(tmp_path, profile, "ask", "--json", "--no-stream", "--no-tools", "-p", "p", "hi")
    result = json.loads(done.stdout)
    assert result["answer"] == "Hi"
    assert result["sources"] == [{"url": PAGE, "title": "A [page] <b>"}, {"url": SHADY, "title": "x"}]
    shown = asst(tmp_path, profile, "sessions", "show", result["session"]).stdout
    assert f"[1] A [page] <b> · {PAGE}" in shown.replace("\n", "")
    as_markdown = asst(tmp_path, profile, "sessions", "export", result["session"], "--format", "md").stdout
    assert rf"1. A \[page\] \<b\> · <{PAGE}>" in as_markdown
    assert "2. x\n" in as_markdown
    as_html = asst(tmp_path, profile, "sessions", "export", result["session"], "--format", "html").stdout
    assert 'href="https://example.org/a?b=1&amp;c=2"' in as_html
    assert SHADY not in as_html.partition("<ol")[2].partition("</ol>")[0]


@pytest.mark.parametrize(
    ("name", "events"),
    [
        (
            "gpt",
            [
                {"type": "response.output_item.added", "item": {"type": "web_search_call", "id": "w"}},
                {"type": "response.web_search_call.in_progress", "item_id": "w"},
                {"type": "response.web_search_call.searching", "item_id": "w"},
                {"type": "response.completed", "response": OK["gpt"]},
            ],
        ),
        (
            "interactions",
            [
                {"event_type": "step.start", "index": 0, "step": {"type": "google_search_call", "id": "g"}},
                {"event_type": "interaction.completed", "interaction": OK["interactions"]},
            ],
        ),
    ],
)
def test_the_progress_of_hosted_tools(name: str, events: list[Any], tmp_path: Path) -> None:
    """A search of the server's own is a note, once."""
    with CaseServer(sse(*events)) as server:
        done = asst(tmp_path, profile_for(name, server.url), "ask", "--json", "--no-tools", "-p", "p", "hi")
    result = json.loads(done.stdout)
    assert (result["answer"], result["notices"]) == ("Hi", ["Searching the web …"])


@pytest.mark.parametrize("options", [(), ("--no-stream",)], ids=["streamed", "replied"])
def test_an_answer_that_llama_cpp_has_cut(options: tuple[str, ...], tmp_path: Path) -> None:
    """`/v1/responses` of llama.cpp says "completed" where the answer reached its limit; the count of tokens tells."""
    cut = OK["local"] | {"usage": {"input_tokens": 3, "output_tokens": 5}}
    answer = reply(cut) if options else sse({"type": "response.completed", "response": cut})
    with CaseServer(answer) as server:
        profile = profile_for("local", server.url, settings={"max_output_tokens": "5"})
        done = asst(tmp_path, profile, "ask", "-q", *options, "--no-tools", "-p", "p", "hi")
        assert (done.stdout, done.returncode) == ("Hi\n", 4), done.stderr
        assert "length limit" in done.stderr
        profile = profile_for("local", server.url, settings={"max_output_tokens": "6"})
        done = asst(tmp_path, profile, "ask", "-q", *options, "--no-tools", "-p", "p", "hi")
    assert (done.stdout, done.returncode) == ("Hi\n", 0), done.stderr


LLAMA_CPP = reply({"object": "list", "data": [{"id": "m", "object": "model", "owned_by": "llamacpp"}]})


@pytest.mark.parametrize(
    "options", [(), ("--no-stream",), ("--background",)], ids=["streamed", "replied", "background"]
)
def test_llama_cpp_is_asked_in_the_way_that_tells(options: tuple[str, ...], tmp_path: Path) -> None:
    """Its Chat Completions say that the server's own limit cut an answer; settings of the Responses API are translated."""
    chunks = [{"choices": [{"delta": {"content": "Hi"}}]}, {"choices": [{"delta": {}, "finish_reason": "length"}]}]
    cut = {"choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "length"}]}
    with CaseServer(
        reply(cut) if "--no-stream" in options else sse(*chunks, "data: [DONE]"), models=LLAMA_CPP
    ) as server:
        profile = profile_for("local", server.url, settings={"max_output_tokens": "50", "top_k": "4"})
        done = asst(tmp_path, profile, "ask", "-q", *options, "--no-tools", "-p", "p", "hi")
    assert (done.stdout, done.returncode) == ("Hi\n", 4), done.stderr
    assert "length limit" in done.stderr
    assert server.asked == ["POST /v1/chat/completions"]
    assert (server.bodies[0]["max_tokens"], server.bodies[0]["top_k"]) == (50, 4)
    assert "background" not in server.bodies[0]
