"""`asst sessions search`, and the index that may be deleted at any time."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from asstproxy.config.paths import cache_dir
from asstproxy.core.errors import UsageError
from asstproxy.providers.scripted import say
from asstproxy.store.filters import SessionFilter
from asstproxy.store.search_index import SearchIndex
from asstproxy.store.store import Store

from .rig import asst, held, tool_exchange


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
