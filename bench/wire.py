"""What the stub server says: the events of Responses and of Chat Completions, as bytes that are made before they are needed."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

__all__ = ["PIECE", "document", "pieces", "streamed", "whole"]

PIECE = 4
"""Characters of a token."""
MODEL = "stub"
USAGE = {"input_tokens": 9, "output_tokens": 200, "total_tokens": 209}
SECTION = """\
## Part {n}: what was found

The *quick* brown fox number {n} jumps over the **lazy** dog, writes `fox_{n}()` and reads [the page](https://example.org/{n})
before it goes on; the sentence is long enough to be wrapped on a terminal of eighty columns, more than once.

- a first item, with some `code` in it
- a second item that is a little longer than the first one, so that it takes two rows on the screen
- a third

1. one
2. two

```python
def fox_{n}(dogs: list[str]) -> int:
    \"\"\"Count the dogs that are lazy.\"\"\"
    lazy = [dog for dog in dogs if dog.startswith("lazy")]
    return len(lazy) + {n}
```

> A quotation, which is about the fox and its {n} dogs.

| name | dogs | fox |
|------|-----:|-----|
| a    | {n}  | yes |
| b    | 17   | no  |

"""


def document(characters: int) -> str:
    """Markdown of that length, with every kind of block in it."""
    parts: list[str] = []
    length = 0
    while length < characters:
        parts.append(SECTION.format(n=len(parts) + 1))
        length += len(parts[-1])
    return "".join(parts)[:characters]


def pieces(answer: str) -> list[str]:
    """The tokens of an answer by its name: `w200`: 200 words; `m100000`: that many characters of Markdown."""
    kind, number = answer[0], int(answer[1:])
    if kind == "w":
        return [f"w{n % 100:02} " for n in range(number)]
    text = document(number)
    return [text[at : at + PIECE] for at in range(0, len(text), PIECE)]


@lru_cache(maxsize=8)
def streamed(api: str, answer: str) -> tuple[bytes, tuple[bytes, ...], bytes]:
    """A streamed answer: what comes before the first token, the tokens, what comes after the last."""
    tokens = pieces(answer)
    return _responses(tokens) if api == "responses" else _chat(tokens)


@lru_cache(maxsize=8)
def whole(api: str, answer: str) -> bytes:
    """The same answer in one reply."""
    text = "".join(pieces(answer))
    if api == "responses":
        return json.dumps(_response("completed", text)).encode()
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps(_completion("chat.completion") | {"choices": [choice], "usage": _chat_usage()}).encode()


# ---- Responses -----------------------------------------------------------------------------------------------------------


def _responses(tokens: list[str]) -> tuple[bytes, tuple[bytes, ...], bytes]:
    text = "".join(tokens)
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    before: list[dict[str, Any]] = [
        {"type": "response.created", "response": _response("in_progress")},
        {"type": "response.in_progress", "response": _response("in_progress")},
        {"type": "response.output_item.added", "output_index": 0, "item": _message("in_progress")},
        {"type": "response.content_part.added", **place, "part": part},
    ]
    deltas = [{"type": "response.output_text.delta", **place, "delta": token, "logprobs": []} for token in tokens]
    after: list[dict[str, Any]] = [
        {"type": "response.output_text.done", **place, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": part | {"text": text}},
        {"type": "response.output_item.done", "output_index": 0, "item": _message("completed", text)},
        {"type": "response.completed", "response": _response("completed", text)},
    ]
    lines = [_event(event | {"sequence_number": n}) for n, event in enumerate([*before, *deltas, *after])]
    return b"".join(lines[:4]), tuple(lines[4:-4]), b"".join(lines[-4:])


def _event(event: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (event["type"].encode(), json.dumps(event).encode())


def _message(status: str, text: str = "") -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}] if text else []
    return {"id": "msg_1", "type": "message", "status": status, "role": "assistant", "content": content}


def _response(status: str, text: str = "") -> dict[str, Any]:
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_780_000_000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": MODEL,
        "output": [_message("completed", text)] if text else [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": USAGE | details if status == "completed" else None,
    }


# ---- Chat Completions ----------------------------------------------------------------------------------------------------


def _chat(tokens: list[str]) -> tuple[bytes, tuple[bytes, ...], bytes]:
    head = _choice({"role": "assistant", "content": ""})
    deltas = tuple(_choice({"content": token}) for token in tokens)
    usage = _data(_completion("chat.completion.chunk") | {"choices": [], "usage": _chat_usage()})
    return head, deltas, _choice({}, "stop") + usage + b"data: [DONE]\n\n"


def _choice(delta: dict[str, str], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    return _data(_completion("chat.completion.chunk") | {"choices": [choice]})


def _completion(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1_780_000_000, "model": MODEL}


def _chat_usage() -> dict[str, int]:
    return {"prompt_tokens": 9, "completion_tokens": 200, "total_tokens": 209}


def _data(value: dict[str, Any]) -> bytes:
    return b"data: %s\n\n" % json.dumps(value).encode()
