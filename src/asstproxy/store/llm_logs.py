"""The `logs.db` of llm (https://llm.datasette.io), as transcripts: its threads, and the conversations of older versions.

Read-only. A thread is a chain of messages, each of which names its parent; a turn has the time, the model and the tokens.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..core.errors import SessionError
from ..core.script import State
from .transcript import ExchangeEntry, ToolEntry, Transcript

__all__ = ["conversations"]

Row = sqlite3.Row
_MAX_TOKENS = 2**53
"""A larger count of tokens is damage."""


def conversations(path: Path) -> Iterator[Transcript]:
    """Every conversation of the database that has a message.

    Raises:
        SessionError: it isn't a database of llm.
    """
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            tables = {row["name"] for row in db.execute("SELECT name FROM sqlite_master")}
            if not tables & {"threads", "conversations"}:
                raise SessionError(f"{path} isn't a database of llm.", "It has neither threads nor conversations.")
            seen = set()
            for found in (*_threads(db, tables), *_conversations(db, tables)):
                if found.exchanges and found.id not in seen:
                    seen.add(found.id)
                    yield found
    # Damaged bytes, text or columns; and SQLite reports too little memory where a length is wrong.
    except (sqlite3.Error, UnicodeDecodeError, IndexError, MemoryError) as error:
        raise SessionError(
            f"{path} can't be read: {str(error) or 'it is damaged'}.", "Is it the logs.db of llm?"
        ) from error


def _threads(db: sqlite3.Connection, tables: set[str]) -> Iterator[Transcript]:
    if not {"threads", "turns", "messages", "parts"} <= tables:
        return
    for thread in db.execute("SELECT * FROM threads ORDER BY id"):
        turns = {
            turn["tip_message_hash"]: turn
            for turn in db.execute("SELECT * FROM turns WHERE thread_id = ?", (thread["id"],))
        }
        transcript = Transcript(id=str(thread["id"]).upper(), title=_text(thread["name"]), provider="llm")
        for message in _chain(db, thread["tip_message_hash"]):
            parts = list(db.execute("SELECT * FROM parts WHERE message_hash = ? ORDER BY position", (message["hash"],)))
            _add_message(transcript, message["role"], parts, turns.get(message["hash"]))
        yield _with_head(transcript)


def _chain(db: sqlite3.Connection, tip: str | None) -> list[Row]:
    chain: list[Row] = []
    seen = set()
    while tip and tip not in seen:
        seen.add(tip)
        message = db.execute("SELECT * FROM messages WHERE hash = ?", (tip,)).fetchone()
        if message is None:
            break
        chain.append(message)
        tip = message["parent_hash"]
    return chain[::-1]


def _add_message(transcript: Transcript, role: str, parts: list[Row], turn: Row | None) -> None:
    text = "".join(_text(part["text"]) for part in parts if part["type"] == "text")
    if role == "user":
        transcript.exchanges.append(ExchangeEntry(text, "", State.COMPLETED, "", "", provider="llm"))
    if not transcript.exchanges:
        return
    entry = transcript.exchanges[-1]
    if role == "assistant":
        entry.answer += text
        entry.reasoning += "".join(_text(part["text"]) for part in parts if part["type"] == "reasoning")
    for part in parts:
        payload = _json(part["payload"])
        call_id = str(payload.get("tool_call_id") or "")
        if part["type"] == "tool_call":
            arguments = payload.get("arguments")
            entry.tools.append(ToolEntry(call_id, str(payload.get("name")), json.dumps(arguments)))
        elif part["type"] == "tool_result":
            for tool in entry.tools:
                if tool.call_id == call_id:
                    tool.output = str(payload.get("output") or "")
    if turn is not None:
        _add_usage(entry, turn)


def _add_usage(entry: ExchangeEntry, turn: Row) -> None:
    entry.started = entry.started or _time(turn["datetime_utc"])
    entry.updated = _time(turn["datetime_utc"])
    entry.model = _text(turn["resolved_model"] or turn["model"])
    entry.usage.input += _count(turn["input_tokens"])
    entry.usage.output += _count(turn["output_tokens"])


def _conversations(db: sqlite3.Connection, tables: set[str]) -> Iterator[Transcript]:
    if not {"conversations", "responses"} <= tables:
        return
    columns = {row["name"] for row in db.execute("PRAGMA table_info(responses)")}
    tokens = "input_tokens, output_tokens" if "input_tokens" in columns else "0 AS input_tokens, 0 AS output_tokens"
    for conversation in db.execute("SELECT * FROM conversations ORDER BY id"):
        transcript = Transcript(id=str(conversation["id"]).upper(), title=_text(conversation["name"]), provider="llm")
        rows = db.execute(
            f"SELECT model, prompt, response, datetime_utc, {tokens}, NULL AS resolved_model"  # noqa: S608 - a constant
            " FROM responses WHERE conversation_id = ? ORDER BY datetime_utc, id",
            (conversation["id"],),
        )
        for row in rows:
            entry = ExchangeEntry(_text(row["prompt"]), _text(row["response"]), State.COMPLETED, "", "", provider="llm")
            _add_usage(entry, row)
            transcript.exchanges.append(entry)
        yield _with_head(transcript)


def _with_head(transcript: Transcript) -> Transcript:
    if transcript.exchanges:
        last = transcript.exchanges[-1]
        transcript.created, transcript.updated = transcript.exchanges[0].started, last.updated
        transcript.model, transcript.exchange_count = last.model, len(transcript.exchanges)
    return transcript


def _text(value: Any) -> str:
    """SQLite keeps any value in any column."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")


def _count(value: Any) -> int:
    return min(value, _MAX_TOKENS) if isinstance(value, int) and value > 0 else 0


def _time(value: Any) -> str:
    text = _text(value)
    if not text:
        return ""
    iso = text.replace(" ", "T").replace("+00:00", "")
    return f"{iso[:23]}Z"


def _json(text: Any) -> dict[str, Any]:
    try:
        value = json.loads(_text(text) or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
