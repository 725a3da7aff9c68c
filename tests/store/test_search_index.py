"""`asst sessions search`, and the index that may be deleted at any time."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from pathlib import Path

import pytest

from asstproxy.config.paths import cache_dir
from asstproxy.core.codec import encode
from asstproxy.core.errors import AsstError, UsageError
from asstproxy.core.events import AssistantMessageRetrieved, ChunkReceived, Record, SetUserMessage
from asstproxy.core.script import STEPS, State
from asstproxy.providers.scripted import say
from asstproxy.store.filters import SessionFilter
from asstproxy.store.search_index import SearchIndex
from asstproxy.store.store import Store

from .rig import asst, held, start, tool_exchange


def found(words: str, which: SessionFilter | None = None, limit: int | None = None) -> list[str]:
    """The ids, the best match first."""
    return [hit.session for hit in SearchIndex(Store()).search(words, which or SessionFilter(), limit)]


def test_all_words_must_occur_in_messages_answers_tools_or_titles() -> None:
    """In any case, with or without accents; `word*` is a beginning, and quotation marks keep words together."""
    paris = held(["Capital of France?"], say("Paris, by the Seine. Déjà vu."))
    tool = held(["please"], *tool_exchange("pelican"))
    assert found("paris capital") == [paris.id]
    assert found("PELICAN") == [tool.id]
    assert found("deja") == [paris.id]
    assert found("pel*") == [tool.id]
    assert found('"the seine"') == [paris.id]
    assert found('"seine the"') == []
    assert found("paris pelican") == []


def test_words_of_scripts_without_spaces_are_found() -> None:
    """Chinese, Japanese and Thai words of any length, in the middle of a sentence and next to Latin letters."""
    chinese = held(["请解释量子计算的基本原理"], say("量子比特可以同时处于多个状态。"))
    japanese = held(["東京タワーの高さは？"], say("333メートルです。GPTによると。"))  # noqa: RUF001
    thai = held(["ภาษาไทยเขียนอย่างไร"], say("ok"))
    for words, session in (
        ("量子", chinese),
        ("计算", chinese),
        ("子计", chinese),
        ("态", chinese),
        ("量子 状态", chinese),
        ("東京タワー", japanese),
        ("タワ", japanese),
        ("メートル*", japanese),
        ("GPT", japanese),
        ('"高さ"', japanese),
        ("ไทย", thai),
    ):
        assert found(words) == [session.id], words
    assert found("算计") == []
    assert found("東タワー") == []
    assert "量子" in asst("sessions", "search", "计算").stdout


def test_the_better_match_comes_first() -> None:
    """Ranked by bm25, not by age."""
    much = held(["pelican pelican pelican"], say("pelican"))
    little = held(["something " * 50 + "pelican"], say("word " * 200))
    assert found("pelican") == [much.id, little.id]
    assert found("pelican", limit=1) == [much.id]


@pytest.mark.parametrize(
    "words", ['"', "AND", "a OR b", "NEAR(x", "col:x", "*", "x -y", "(", "^x", "'; DROP TABLE x", "é\u2028*"]
)
def test_no_character_of_the_words_is_an_operator(words: str) -> None:
    """Whatever is typed is searched, or refused as no word."""
    held(["a b x"], say("y"))
    with contextlib.suppress(UsageError):  # "Nothing to search for."
        found(words)


def test_the_index_follows_the_store() -> None:
    """New, continued, renamed and removed sessions are found, or not, at the next search."""
    session = held(["alpha"], say("1"))
    assert (found("alpha"), found("beta")) == ([session.id], [])
    held(["beta"], say("2"), session=Store().open(session.id))
    assert (found("alpha"), found("beta")) == ([session.id], [session.id])
    asst("sessions", "rename", session.id, "gamma")
    assert found("gamma") == [session.id]
    Store().remove(session.id)
    assert found("alpha") == found("gamma") == []


@pytest.mark.parametrize("how", ["deleted", "garbage", "truncated", "version", "other"])
def test_anything_odd_about_the_index_means_a_new_one(how: str, tmp_path: Path) -> None:
    """Deleted, overwritten, cut, of another version or another folder: the search is right, and says nothing about it."""
    session = held(["alpha"], say("1"))
    assert found("alpha") == [session.id]
    file = cache_dir() / "index.sqlite3"
    if how == "deleted":
        file.unlink()
    elif how == "garbage":
        file.write_bytes(b"garbage" * 1000)
    elif how == "truncated":
        file.write_bytes(file.read_bytes()[:5000])
    elif how == "version":
        with sqlite3.connect(file) as db:
            db.execute("PRAGMA user_version = 99")
        db.close()
    else:
        SearchIndex(Store(tmp_path / "other")).search("alpha", SessionFilter(), None)
    assert found("alpha") == [session.id]


def test_a_cache_that_cannot_be_written_is_no_reason_not_to_search() -> None:
    """The index is made for this search alone."""
    session = held(["alpha"], say("1"))
    done = asst("sessions", "search", "alpha", ASST_CACHE_DIR="/proc/nowhere")
    assert (done.returncode, session.id in done.stdout) == (0, True)


def test_damaged_sessions_do_not_stop_the_search() -> None:
    """One that cannot be read is indexed as nothing."""
    good, bad = held(["alpha"], say("1")), held(["alpha"], say("1"))
    bad.path.write_bytes(b"no journal\n")
    assert found("alpha") == [good.id]


def test_the_command_shows_where_the_words_stand() -> None:
    """One line and a snippet for each; --json has the row of `list` and both; every filter of `list` is there."""
    session = held(
        ["hi"], say("before " * 30 + "the pelican \x1b[31m flies" + " after" * 30), provider="gpt", profile="work"
    )
    text = asst("sessions", "search", "pelican").stdout
    assert session.id in text
    assert "…" in text
    assert "the pelican flies" in text
    assert "\x1b" not in text
    row = json.loads(
        asst("sessions", "search", "--json", "pelican", "--provider", "work", "--state", "completed").stdout
    )[0]
    assert row["id"] == session.id
    assert "pelican" in row["snippet"]
    for option in (["--provider", "other"], ["--state", "error"], ["--since", "2100-01-01"]):
        assert asst("sessions", "search", "pelican", *option).stdout == ""
    nothing = asst("sessions", "search", "nosuchword")
    assert (nothing.returncode, nothing.stderr) == (0, "No match.\n")


def test_two_searches_at_once_share_one_index() -> None:
    """Both build it, and both are right."""
    from .rig import start

    session = held(["alpha"], say("1"))
    both = [start("sessions", "search", "alpha") for _ in range(4)]
    assert all(session.id in process.communicate(timeout=60)[0] for process in both)


def _old(store: Store, *texts: str, at_rest: bool = True) -> list[str]:
    """Sessions of a month that is over; `at_rest`: nothing in its folder has changed for long."""
    at = "2024-05-01T12:00:00.000Z"
    ids = []
    for number, text in enumerate(texts):
        records = [
            Record(0, at, STEPS["set_user_message"].dest, SetUserMessage(text)),
            Record(0, at, State.COMPLETED, AssistantMessageRetrieved("yes")),
        ]
        ids.append(store.copy(records, forked_from="", at=1714564800000 + number))
    held(["the newest month"], say("1"))
    if at_rest:
        _rest(store, ids[0])
    return ids


def _rest(store: Store, session: str) -> None:
    os.utime(store.path(session).parent, (1714564800, 1714564800))


def test_a_session_that_could_not_be_read_is_tried_again() -> None:
    """Also in a month whose folder has not changed: one failure must not hide a session for ever."""
    store = Store()
    session, other = _old(store, "北京两千万人口", "two")
    path = store.path(session)
    content = path.read_bytes()
    path.write_bytes(b"?" * (len(content) - 1) + b"\n")
    assert found("万") == []
    assert found("two") == [other]
    path.write_bytes(content)
    assert found("万") == [session]


def test_an_exchange_that_did_not_settle_is_looked_at_again() -> None:
    """A process that dies leaves a longer journal, and a folder that has not changed."""
    store = Store()
    (session,) = _old(store, "one")
    path = store.path(session)
    first, *rest = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + rest[0])
    _rest(store, session)
    assert found("one") == [session]
    line = encode(Record(4, "2024-05-01T12:00:00.000Z", State.STREAMING, ChunkReceived("a pelican")))
    path.write_bytes(first + rest[0] + line + b"\n")
    assert found("pelican") == [session]


def test_what_is_added_while_the_first_index_is_built_is_found() -> None:
    """However long that takes: a session that is written meanwhile is found by the next search at the latest."""
    store = Store()
    _old(store, *(f"number{one}" for one in range(200)))
    added: list[str] = []

    def progress(done: int, _of: int) -> None:
        if done and not added:
            added.extend(_old(store, "北京两千万人口", at_rest=False))

    SearchIndex(store).search("number7", SessionFilter(), None, progress)
    assert found("万") == added


def test_many_first_searches_at_once_find_the_same() -> None:
    """Processes that all find no index: each finds the session, whoever builds it."""
    (session,) = _old(Store(), "北京两千万人口")
    running = [start("sessions", "search", "万", "--json") for _ in range(6)]
    results = [process.communicate(timeout=60) for process in running]
    assert [[hit["id"] for hit in json.loads(out)] for out, _ in results] == [[session]] * 6, results


def test_a_search_that_waits_too_long_does_not_advise_to_delete_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process builds it, the message says so."""
    held(["one"], say("1"))
    assert len(found("one")) == 1
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **options: connect(*args, **{**options, "timeout": 0.1}))
    with contextlib.closing(connect(cache_dir() / "index.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(AsstError, match="Another search is building the index"):
            found("one")
    assert len(found("one")) == 1
