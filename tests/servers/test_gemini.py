"""The fake Gemini, over plain HTTP: what it streams, and what it refuses."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from .brain import Block, Call, Fail, Incomplete, Output, Refuse, Say, Think, Wait
from .faults import Cut
from .gemini import GeminiServer
from .gemini_writer import LastChunk
from .refusals import Status

MODEL = "gemini-3.8-flash"
HI: dict[str, Any] = {"role": "user", "parts": [{"text": "hi"}]}


def post(server: GeminiServer, method: str, *contents: dict[str, Any], **body: Any) -> httpx2.Response:
    url = f"{server.url}/v1beta/models/{MODEL}:{method}"
    return httpx2.post(url, json={"contents": contents or (HI,), **body}, headers={"x-goog-api-key": server.key})


def chunks(answer: httpx2.Response) -> Iterator[Any]:
    """The chunks of an SSE answer, which separates them as Google does."""
    return (json.loads(part.removeprefix("data: ")) for part in answer.text.split("\r\n\r\n") if part)


def stream(server: GeminiServer, *contents: dict[str, Any], **body: Any) -> list[Any]:
    return list(chunks(post(server, "streamGenerateContent?alt=sse", *contents, **body)))


def parts_of(answers: list[Any]) -> list[dict[str, Any]]:
    candidates = [candidate for chunk in answers for candidate in chunk.get("candidates", [])]
    return [part for candidate in candidates for part in candidate.get("content", {}).get("parts", [])]


def responses(parts: list[dict[str, Any]], **extra: Any) -> dict[str, Any]:
    """An answer to each function call."""
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    answers: list[dict[str, Any]] = [{"name": call["name"], "response": {"output": 1}, **extra} for call in calls]
    return {"role": "user", "parts": [{"functionResponse": answer} for answer in answers]}


def test_create_and_stream_agree() -> None:
    """The streamed pieces are the plain answer; the counts of the last chunk are the answer's own."""
    turn: list[Output] = [Think("hm hm"), Say("Grüße, 世界 \u2028 👋")]
    config = {"thinkingConfig": {"includeThoughts": True}}
    with GeminiServer([turn, turn]) as server:
        plain = post(server, "generateContent", generationConfig=config).json()
        streamed = stream(server, generationConfig=config)
    thought, said = plain["candidates"][0]["content"]["parts"]
    assert (thought["text"], thought["thought"]) == ("hm hm", True)
    pieces = parts_of(streamed)
    assert "".join(part["text"] for part in pieces if not part.get("thought")) == said["text"]
    assert pieces[-1]["text"] == ""
    assert base64.b64decode(pieces[-1]["thoughtSignature"], validate=True)
    assert streamed[-1]["usageMetadata"] == plain["usageMetadata"]
    assert streamed[-1]["candidates"][0]["finishReason"] == plain["candidates"][0]["finishReason"] == "STOP"


@pytest.mark.parametrize("last", ["empty_part", "no_parts", "no_content", "no_candidates"])
def test_last_chunks(last: LastChunk) -> None:
    """Each kind of last chunk that was seen in the wild."""
    with GeminiServer([[Say("a b")]], last_chunk=last) as server:
        end = stream(server)[-1]
    assert ("candidates" in end) is (last != "no_candidates")
    content = end.get("candidates", [{}])[0].get("content")
    assert content == {"empty_part": {"parts": [{"text": ""}], "role": "model"}, "no_parts": {"role": "model"}}.get(
        last
    )


def test_tool_loop() -> None:
    """Parallel calls: only the first is signed; they are answered together, merged turns or not."""
    turn = [Say("Let me see."), Call("price", {"t": "A"}), Call("price", {"t": "B"}, call_id="")]
    with GeminiServer([turn, [Say("ok")]]) as server:
        parts = parts_of(stream(server))
        calls = [part for part in parts if "functionCall" in part]
        assert ["thoughtSignature" in part for part in calls] == [True, False]
        assert ["id" in part["functionCall"] for part in calls] == [True, False]
        separate = [{"role": "model", "parts": [part]} for part in parts]
        assert parts_of(stream(server, HI, *separate, responses(parts)))[0]["text"] == "ok"


def test_altered_history_is_refused() -> None:
    """Signatures come back as they were, on their part; the URL-safe alphabet is the same signature."""
    with GeminiServer([[Call("price", {"t": "A"})], [Say("ok")], [Say("ok")], [Say("ok")]]) as server:
        (call, *_) = parts_of([post(server, "generateContent").json()])
        answer = responses([call])

        def refusal(part: dict[str, Any], *rest: dict[str, Any]) -> str:
            reply = post(server, "generateContent", HI, {"role": "model", "parts": [part]}, *rest)
            return str(reply.json()["error"]["message"] if reply.status_code == 400 else reply.status_code)

        signature = call["thoughtSignature"]
        assert "missing a thought_signature" in refusal({"functionCall": call["functionCall"]}, answer)
        assert "Corrupted" in refusal({**call, "thoughtSignature": base64.b64encode(b"other").decode()}, answer)
        assert "decoding" in refusal({**call, "thoughtSignature": signature[:-1]}, answer)
        moved = {"functionCall": {**call["functionCall"], "args": {"t": "B"}}, "thoughtSignature": signature}
        assert "another part" in refusal(moved, answer)
        assert "number of function response" in refusal(call)
        assert "number of function response" in refusal(call, HI)
        assert "ids" in refusal(call, responses([call], id="call_wrong"))
        assert refusal({**call, "thoughtSignature": signature.replace("+", "-").replace("/", "_")}, answer) == "200"
        assert refusal({**call, "thoughtSignature": "skip_thought_signature_validator"}, answer) == "200"
        # In an earlier turn a call may lack its signature.
        old = {"functionCall": call["functionCall"]}
        assert refusal(old, answer, {"role": "model", "parts": [{"text": "x"}]}, HI) == "200"


def test_every_ending() -> None:
    """A finish reason is passed on as it is; a blocked prompt has no candidates; a failure is an error."""
    turns: list[list[Output]] = [
        [Say("a"), Incomplete()],
        [Incomplete("MALFORMED_FUNCTION_CALL")],
        [Block("PROHIBITED_CONTENT")],
        [Refuse("no")],
        [Say("a b"), Fail("UNAVAILABLE", "busy")],
        [Wait(0.01), Fail("RESOURCE_EXHAUSTED")],
    ]
    with GeminiServer(turns) as server:
        assert stream(server)[-1]["candidates"][0]["finishReason"] == "MAX_TOKENS"
        assert stream(server)[-1]["candidates"][0]["finishReason"] == "MALFORMED_FUNCTION_CALL"
        (blocked,) = stream(server)
        assert blocked["promptFeedback"] == {"blockReason": "PROHIBITED_CONTENT"}
        assert "candidates" not in blocked
        assert parts_of(stream(server))[0] == {"text": "no"}
        *said, error = stream(server)
        assert len(said) == 2
        assert error == {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}
        early = post(server, "streamGenerateContent?alt=sse")
        assert early.status_code == 429
        assert early.json()["error"]["details"][0]["@type"].endswith("QuotaFailure")


def test_without_sse_the_stream_is_an_array() -> None:
    """Google answers a JSON array, piece by piece."""
    with GeminiServer([[Say("a b")]]) as server:
        answer = post(server, "streamGenerateContent")
    assert [part["text"] for part in parts_of(answer.json())] == ["a", " b", ""]


def test_keys_and_paths() -> None:
    """The Developer API takes a key, Vertex a token; each refusal has Google's status."""
    vertex = f"/v1beta1/projects/p/locations/global/publishers/google/models/{MODEL}:generateContent"
    with GeminiServer() as server:
        body = {"contents": [HI]}
        bearer = {"authorization": f"Bearer {server.token}"}
        assert httpx2.post(server.url + vertex, json=body, headers=bearer).status_code == 200
        assert httpx2.post(server.url + vertex, json=body).status_code == 401
        listing = f"{server.url}/v1beta/models"
        assert httpx2.get(listing).status_code == 403
        wrong = httpx2.get(listing, headers={"x-goog-api-key": "wrong"})
        assert wrong.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"
        first = httpx2.get(f"{listing}?pageSize=4&key={server.key}").json()
        rest = httpx2.get(f"{listing}?pageToken={first['nextPageToken']}&key={server.key}").json()
        assert len(first["models"]) + len(rest["models"]) == len(server.models)
        unknown = httpx2.post(f"{server.url}/v1beta/models/gpt:generateContent?key={server.key}", json=body)
        assert unknown.json()["error"]["status"] == "NOT_FOUND"
        assert post(server, "generateContent", messages=[]).status_code == 400
        tool = {"functionDeclarations": [{"name": "1f", "parameters": {}}]}
        assert post(server, "generateContent", tools=[tool]).status_code == 400
        assert post(server, "countTokens").json()["totalTokens"] > 0


def test_faults_apply() -> None:
    """The same faults as everywhere, in Google's shape."""
    with GeminiServer(faults=[Status(429, retry_after=17, first=1), Cut(1, how="end")]) as server:
        assert post(server, "generateContent").json()["error"]["details"][-1]["retryDelay"] == "17s"
        assert len(stream(server)) == 1


async def test_the_sdk_agrees() -> None:
    """Google's own client reads all of it, and what it sends back is accepted."""
    genai = pytest.importorskip("google.genai")
    types, errors = genai.types, genai.errors
    tool = types.Tool(function_declarations=[types.FunctionDeclaration(name="price", parameters_json_schema={})])
    disable = types.AutomaticFunctionCallingConfig(disable=True)
    config = types.GenerateContentConfig(
        tools=[tool],
        automatic_function_calling=disable,
        system_instruction="Be brief.",
        thinking_config=types.ThinkingConfig(include_thoughts=True),
    )
    calls: list[Output] = [Think("which?"), Call("price", {"t": "A"}), Call("price", {"t": "B"})]
    turns: list[list[Output]] = [calls, [Say("ok ok")], [Block()], [Say("a"), Fail()]]
    with GeminiServer(turns) as server:
        options = types.HttpOptions(base_url=server.url, api_version="v1beta")
        client = genai.Client(api_key=server.key, http_options=options)
        async with client.aio as aio:
            history: list[Any] = [types.UserContent("hi")]
            ask: dict[str, Any] = {"model": MODEL, "contents": history, "config": config}
            answer = await aio.models.generate_content(**ask)
            assert [call.args for call in answer.function_calls] == [{"t": "A"}, {"t": "B"}]
            results = [
                types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response={"output": 1}))
                for call in answer.function_calls
            ]
            history += [answer.candidates[0].content, types.UserContent(results)]
            pieces = [chunk async for chunk in await aio.models.generate_content_stream(**ask)]
            assert "".join(piece.text or "" for piece in pieces) == "ok ok"
            assert (await aio.models.generate_content(**ask)).prompt_feedback.block_reason == "SAFETY"
            with pytest.raises(errors.ServerError):
                _ = [chunk async for chunk in await aio.models.generate_content_stream(**ask)]
            assert len([model async for model in await aio.models.list()]) == len(server.models)
        client.close()
