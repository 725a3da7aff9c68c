"""llm's database, damaged: its conversations are imported, or it is refused in one line."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
from pathlib import Path

from asstproxy import SessionError, Store, conform
from asstproxy.store.imports import import_file

from .place import place

_OLDER = """
CREATE TABLE conversations (id TEXT PRIMARY KEY, name TEXT, model TEXT);
CREATE TABLE responses (id TEXT PRIMARY KEY, model TEXT, prompt TEXT, response TEXT, conversation_id TEXT, datetime_utc TEXT);
INSERT INTO conversations VALUES ('01h', 'A talk', 'm'); INSERT INTO responses VALUES
 ('1', 'm', 'hi', 'Hello', '01h', '2023-11-22T19:45:00.123456+00:00'), ('2', 'm', NULL, NULL, '01h', NULL);
"""
_numbers = itertools.count()


def _database(*sql: str) -> bytes:
    with sqlite3.connect(":memory:") as db:
        db.executescript("PRAGMA page_size = 512;" + "".join(sql))
        data = db.serialize()
    db.close()
    return data


_LLM = (Path(__file__).parents[2] / "fixtures" / "llm" / "logs-0.36.sql").read_text()
SEEDS = [_database(_LLM), _database(_OLDER)]
FOUND = [
    SEEDS[1].replace(b"prompt TEXT", b"\xffrompt TEXT"),  # a name that is no text
    SEEDS[1][:225] + b"\xff" * 71 + SEEDS[1][296:],  # a length for which SQLite says that memory is short
    _database(_OLDER, "ALTER TABLE conversations DROP COLUMN name"),
    _database(_OLDER, "UPDATE responses SET model = 3, prompt = 5, response = x'ff00', datetime_utc = 12"),
    _database(_LLM, "UPDATE parts SET text = x'ff', payload = 5; UPDATE messages SET role = 7"),
    _database(_LLM, "UPDATE turns SET input_tokens = 'many', output_tokens = -9e99, datetime_utc = 7, model = x'00'"),
]


def target(data: bytes) -> None:
    """Import it as `asst sessions import` does."""
    folder = place() / f"llm-{next(_numbers)}"
    folder.mkdir()
    try:
        file = folder / "logs.db"
        file.write_bytes(data)
        store = Store(folder / "sessions")
        try:
            for one in import_file(store, file):
                assert list(conform(store.records(one.session))) == []
        except SessionError:
            pass
        assert file.read_bytes() == data
    finally:
        shutil.rmtree(folder)
