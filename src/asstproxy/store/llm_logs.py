"""The `logs.db` of llm (https://llm.datasette.io), as transcripts: its threads, and the older conversations beside them.

Read-only. A thread is a chain of messages, each of which names its parent; a turn says when, by which model, and at what cost.
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
_MOST = 2**53
"""Tokens that are believed."""


def conversations(path: Path) -> Iterator[Transcript]:
    """Every conversation of the database that has a message.

    Raises:
        SessionError: it is no database of llm.
    """
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            tables = {row["name"] for row in db.execute("SELECT name FROM sqlite_master")}
            if not tables & {"threads", "conversations"}:
                raise SessionError(f"{path} is no database of llm.", "It has neither threads nor conversations.")
            seen = set()
            for found in (*_threads(db, tables), *_older(db, tables)):
                if found.exchanges and found.id not in seen:
                    seen.add(found.id)
                    yield found
    # Damaged in its bytes, in its text, in its columns; and SQLite says that memory is short where a length is wrong.
    except (sqlite3.Error, UnicodeDecodeError, IndexError, MemoryError) as error:
        raise SessionError(
            f"{path} cannot be read: {str(error) or 'it is damaged'}.", "Is it the logs.db of llm?"
        ) from error


def _threads(db: sqlite3.Connection, tables: set[str]) -> Iterator[Transcript]:
    if not {"threads", "turns", "messages", "parts"} <= tables:
        return
    for thread in db.execute("SELECT * FROM threads ORDER BY id"):
        turns = {
            turn["tip_message_hash"]: turn
            for turn in db.execute("SELECT * FROM turns WHERE thread_id = ?", (thread["id"],))
        }
        whole = Transcript(id=str(thread["id"]).upper(), title=_text(thread["name"]), provider="llm")
        for message in _chain(db, thread["tip_message_hash"]):
            parts = list(db.execute("SELECT * FROM parts WHERE message_hash = ? ORDER BY position", (message["hash"],)))
            _tell(whole, message["role"], parts, turns.get(message["hash"]))
        yield _headed(whole)


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


def _tell(whole: Transcript, role: str, parts: list[Row], turn: Row | None) -> None:
    text = "".join(_text(part["text"]) for part in parts if part["type"] == "text")
    if role == "user":
        whole.exchanges.append(ExchangeEntry(text, "", State.COMPLETED, "", "", provider="llm"))
    if not whole.exchanges:
        return
    entry = whole.exchanges[-1]
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
        _cost(entry, turn)


def _cost(entry: ExchangeEntry, turn: Row) -> None:
    entry.started = entry.started or _time(turn["datetime_utc"])
    entry.updated = _time(turn["datetime_utc"])
    entry.model = _text(turn["resolved_model"] or turn["model"])
    entry.usage.input += _count(turn["input_tokens"])
    entry.usage.output += _count(turn["output_tokens"])


def _older(db: sqlite3.Connection, tables: set[str]) -> Iterator[Transcript]:
    if not {"conversations", "responses"} <= tables:
        return
    columns = {row["name"] for row in db.execute("PRAGMA table_info(responses)")}
    tokens = "input_tokens, output_tokens" if "input_tokens" in columns else "0 AS input_tokens, 0 AS output_tokens"
    for conversation in db.execute("SELECT * FROM conversations ORDER BY id"):
        whole = Transcript(id=str(conversation["id"]).upper(), title=_text(conversation["name"]), provider="llm")
        rows = db.execute(
            f"SELECT model, prompt, response, datetime_utc, {tokens}, NULL AS resolved_model"  # noqa: S608 - our own words
            " FROM responses WHERE conversation_id = ? ORDER BY datetime_utc, id",
            (conversation["id"],),
        )
        for row in rows:
            entry = ExchangeEntry(_text(row["prompt"]), _text(row["response"]), State.COMPLETED, "", "", provider="llm")
            _cost(entry, row)
            whole.exchanges.append(entry)
        yield _headed(whole)


def _headed(whole: Transcript) -> Transcript:
    if whole.exchanges:
        last = whole.exchanges[-1]
        whole.created, whole.updated = whole.exchanges[0].started, last.updated
        whole.model, whole.exchange_count = last.model, len(whole.exchanges)
    return whole


def _text(value: Any) -> str:
    """SQLite keeps any value in any column."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")


def _count(value: Any) -> int:
    return min(value, _MOST) if isinstance(value, int) and value > 0 else 0


def _time(value: Any) -> str:
    text = _text(value)
    if not text:
        return ""
    plain = text.replace(" ", "T").replace("+00:00", "")
    return f"{plain[:23]}Z"


def _json(text: Any) -> dict[str, Any]:
    try:
        value = json.loads(_text(text) or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
