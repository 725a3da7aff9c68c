"""The result of an MCP tool as text for the assistant. The tool ran, so what came back is passed on, with a remark if need be."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["RAW", "block_text", "raw", "result_text"]

RAW = "asstproxy/raw"
"""Where `mcp_tolerance` keeps what the server sent: a member of the `_meta` of the valid result in its place."""

NO_CONTENT = ("content", "structuredContent", "isError", "is_error", "_meta", "resultType")


def raw(meta: Any) -> Any:
    """What the server sent in place of the result with this `_meta`."""
    return meta.get(RAW) if isinstance(meta, dict) else None


def result_text(result: Any, output_schema: Any) -> tuple[str, bool]:
    """The text of a result, and whether it is an error.

    `result` is any JSON, as the server sent it; `output_schema` is what the server declared for the structured part, if anything.
    Images and sounds are only named. A structured part that the text doesn't repeat follows it as JSON.
    """
    if not isinstance(result, dict):
        result = {"content": result}
    content = result.get("content")
    blocks = content if isinstance(content, list) else [] if content is None else [content]
    texts = [block_text(block) for block in blocks]
    structured = result.get("structuredContent")
    if structured is not None and not _repeats(texts, structured):
        texts.append(_json(structured))
    failed = any(result.get(name) in (True, "true", "True", 1) for name in ("isError", "is_error"))
    if content is None and structured is None:
        others = {name: value for name, value in result.items() if name not in NO_CONTENT and value is not None}
        texts.append(_others_text(others) if others else "[The result has no content.]")
        failed = failed or bool(others.get("error"))
    if isinstance(output_schema, dict) and not failed and (problem := _mismatch(structured, output_schema)):
        texts.append(f"[Remark: {problem}.]")
    return "\n".join(texts), failed


def _others_text(others: dict[str, Any]) -> str:
    """A result in members of a server's own, such as the `toolResult` of the first version of the protocol."""
    (value,) = others.values() if len(others) == 1 else (others,)
    return value if isinstance(value, str) else _json(value)


def block_text(block: Any) -> str:
    """The text of a content block; anything else is only named."""
    if not isinstance(block, dict):
        return block if isinstance(block, str) else _json(block)
    resource = block.get("resource")
    inner = resource if isinstance(resource, dict) else {}
    for text in (block.get("text"), inner.get("text")):
        if isinstance(text, str):
            return text
        if text is not None:
            return _json(text)
    where = block.get("uri") or inner.get("uri") or ""
    kind = block.get("mimeType") or block.get("type")
    if not isinstance(kind, str):
        return _json(block)
    return f"[{kind} {where}: not shown]".replace(" :", ":")


def _repeats(texts: list[str], structured: Any) -> bool:
    """Whether the text is the structured part: the protocol wants it so, for clients that know only text."""
    inner = structured.get("result") if isinstance(structured, dict) and set(structured) == {"result"} else structured
    text = "\n".join(texts)
    if inner in (text, texts):
        return True
    try:
        return json.loads(text) in (structured, inner)
    except (ValueError, RecursionError):
        return False


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _mismatch(structured: Any, schema: dict[str, Any]) -> str:
    """In which way the structured part misses the schema; "" if it fits."""
    if structured is None:
        return "the result has no structured part, although the tool declares an output schema"
    from jsonschema.exceptions import best_match
    from jsonschema.validators import validator_for
    from referencing import Registry

    try:
        validator = validator_for(schema)(schema, registry=Registry())  # an empty registry: nothing is fetched
        error = best_match(validator.iter_errors(structured))
    except Exception:  # noqa: BLE001 - an invalid schema says nothing about the result
        return ""
    if error is None:
        return ""
    where = "".join(f"[{part!r}]" for part in error.absolute_path)
    return f"the structured result doesn't match the tool's output schema: {where} {error.message[:200]}".replace(
        "  ", " "
    )
