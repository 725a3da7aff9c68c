"""The store: finding sessions, their order, and the transcript beside the journal."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from asstproxy.config.paths import data_dir
from asstproxy.core.errors import SessionError
from asstproxy.core.events import SetUserMessage
from asstproxy.providers.scripted import say
from asstproxy.store import ulid
from asstproxy.store.store import Store
from asstproxy.store.transcript_file import load_transcript, to_json
from asstproxy.user import UserProxy

from .rig import asst, held, hold

FIXTURES = Path(__file__).parents[1] / "fixtures" / "transcripts"


def test_the_newest_session_is_the_one_made_last_also_when_the_clock_went_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is put back by a year makes no session older than the one before."""
    first = held(["one"], say("1"))
    year_ago = time.time_ns() - 365 * 24 * 3600 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: year_ago)
    second = held(["two"], say("2"))
    assert Store().newest() == second.id
    assert [*Store().ids()] == [second.id, first.id]


def test_a_session_is_found_by_the_beginning_or_the_end_of_its_id() -> None:
    """In any case of letters; what fits two sessions, or none, is refused with a hint."""
    one, two = held(["one"], say("1")), held(["two"], say("2"))
    store = Store()
    assert store.find(one.id.lower()) == one.id
    assert store.find(two.id[-8:]) == two.id
    with pytest.raises(SessionError, match="more than one"):
        store.find(one.id[:4])
    with pytest.raises(SessionError, match="No such session: 'zz'"):
        store.find("zz")


def test_ids_are_ulids() -> None:
    """26 letters that sort by time and tell it."""
    now = time.time_ns() // 1_000_000
    made = ulid.new()
    assert ulid.is_ulid(made)
    assert now <= ulid.time_of(made) <= now + 5000
    assert ulid.new(0) < ulid.new(1)


def test_foreign_files_in_the_store_are_no_sessions() -> None:
    """Notes, temporary files and folders of others are passed over."""
    session = held(["one"], say("1"))
    (session.path.parent / "notes.jsonl").write_text("{}\n")
    (session.path.parent.parent / "README").write_text("hello")
    (session.path.parent.parent / "backup").mkdir()
    assert [*Store().ids()] == [session.id]


def test_folders_and_files_are_the_users_alone() -> None:
    """0700 and 0600: sessions hold what people said."""
    path = held(["one"], say("1")).path
    assert {oct(p.stat().st_mode & 0o777) for p in (path, path.with_suffix(".json"))} == {"0o600"}
    assert oct(path.parent.stat().st_mode & 0o777) == "0o700"


# ---- the transcript ----------------------------------------------------------------------------------------------------


def test_the_transcript_is_the_fold_of_the_journal() -> None:
    """The file says what a fresh fold of the records says."""
    session = held(["one", "two"], say("1"), say("2"))
    file = session.path.with_suffix(".json")
    assert load_transcript(file.read_bytes(), "it") == Store().transcript(session.id)


def test_a_missing_older_or_broken_transcript_is_folded_again() -> None:
    """`list` tells the truth in each case, and the next writer repairs the file."""
    session = held(["one"], say("1"))
    file = session.path.with_suffix(".json")
    good = file.read_bytes()
    for spoiled in (None, b"{", good.replace(b'"journal_bytes": ', b'"journal_bytes": 1')):
        file.unlink() if spoiled is None else file.write_bytes(spoiled)
        assert Store().summary(session.id).exchange_count == 1
    held(["two"], say("2"), session=Store().open(session.id))
    assert load_transcript(file.read_bytes(), "it").exchange_count == 2


def test_a_transcript_that_a_person_edited_is_kept_beside() -> None:
    """The journal is the truth, but a person's work is not overwritten: it is moved to `<id>.edited.json`, each time."""
    session = held(["one"], say("1"))
    file = session.path.with_suffix(".json")
    for number in (1, 2):
        edited = file.read_bytes().replace(b'"one"', b'"EDITED"')
        file.write_bytes(edited)
        held(["more"], say("m"), session=Store().open(session.id))
        kept = file.with_suffix(".edited.json" if number == 1 else f".edited-{number}.json")
        assert kept.read_bytes() == edited
    assert b"EDITED" not in file.read_bytes()
    assert Store().transcript(session.id).exchanges[0].user == "one"


async def test_the_transcript_is_there_after_every_exchange() -> None:
    """Not only when the session is closed."""
    session = Store().create()
    file = session.path.with_suffix(".json")
    try:
        from asstproxy.core.conversation import Conversation
        from asstproxy.providers.scripted import ScriptedProvider

        conversation = Conversation(ScriptedProvider(say("1"), say("2")), UserProxy())
        conversation.subscribe(session, essential=True)
        for count in (1, 2):
            await conversation.exchange("hi")
            for _ in range(200):
                if file.exists() and json.loads(file.read_bytes())["exchange_count"] == count:
                    break
                await asyncio.sleep(0.01)
            assert json.loads(file.read_bytes())["exchange_count"] == count
    finally:
        session.close()


def test_every_version_of_a_transcript_loads_forever() -> None:
    """One fixture for each version that was shipped."""
    fixtures = sorted(FIXTURES.glob("v*.json"))
    assert fixtures
    for file in fixtures:
        whole = load_transcript(file.read_bytes(), file.name)
        assert whole.exchange_count == len(whole.exchanges) > 0
        assert load_transcript(to_json(whole), "again") == whole


def test_a_transcript_of_a_newer_asst_is_refused_in_one_line() -> None:
    """It says what to do."""
    with pytest.raises(SessionError, match="newer asst"):
        load_transcript(b'{"format": "asst-transcript", "version": 99}', "t.json")
    with pytest.raises(SessionError, match="isn't a transcript"):
        load_transcript(b'{"format": "x"}', "t.json")


async def test_titles_are_the_first_words_or_what_the_person_says() -> None:
    """One line of sixty characters."""
    session = await hold(["  What is\nthe capital\tof France? " + "x" * 100], say("Paris"))
    assert Store().summary(session.id).title == ("What is the capital of France? " + "x" * 100)[:60]
    assert asst("sessions", "rename", session.id, " Geo\ngraphy ").returncode == 0
    assert Store().summary(session.id).title == "Geo graphy"


# ---- where nothing can be written --------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["/proc/nowhere", "/dev/null/data"])
def test_a_data_dir_that_cannot_be_written_is_one_line(place: str) -> None:
    """`ask` says so before anything is sent, and offers --no-save."""
    done = asst("ask", "-p", "gpt", "hi", ASST_DATA_DIR=place, OPENAI_API_KEY="k", OPENAI_BASE_URL="http://127.0.0.1:9")
    assert done.returncode == 5
    assert done.stderr.count("\n") == 1
    assert "--no-save" in done.stderr


def test_a_missing_data_dir_is_an_empty_store() -> None:
    """Reading makes no folder, and says what to do."""
    for command in (["list"], ["list", "--json"], ["search", "word"], ["prune", "--older-than", "1d"]):
        assert asst("sessions", *command).returncode == 0
    assert asst("sessions", "show").returncode == 5
    assert not data_dir().exists()


def test_a_session_is_closed_once(tmp_path: Path) -> None:
    """Closing it again leaves alone a file that has got the number of the journal's file meanwhile."""
    session = Store().create()
    session.add(SetUserMessage("hi"))
    session.close()
    others = [(tmp_path / str(n)).open("w") for n in range(5)]
    session.close()
    for other in others:
        with other:
            other.write("still open")
