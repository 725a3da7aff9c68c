"""The commands of the chat for sessions: pick, show, rename, fork, go back; and the lines that say where a session is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asstproxy import Store
from asstproxy.config.profiles import config_file
from asstproxy.core.events import SessionOpened
from asstproxy.store import ulid
from asstproxy.store.short_ids import short_ids
from cli.conftest import ASST, Asst
from cli.terminal import Terminal
from servers import ResponsesServer, Say

from .conftest import Chat, sent


def _short(session: str) -> str:
    return short_ids(Store(), [session])[session]


def _say(terminal: Terminal, *messages: str) -> None:
    terminal.wait_for_prompt()
    done = terminal.text.count("completed")
    for number, message in enumerate(messages, done + 1):
        terminal.enter(message)
        terminal.wait_until(lambda number=number: terminal.text.count("completed") == number)  # type: ignore[misc]


@pytest.fixture
def three(server: ResponsesServer, asst: Asst) -> list[str]:
    """Three sessions, the newest first: about herons, hash maps and pelicans."""
    for question in ("What is a pelican?", "Hash maps against trees", "Where do herons live?"):
        assert asst("ask", "-p", "gpt", question).code == 0
    return list(Store().ids())


@pytest.mark.parametrize(("columns", "rows"), [(60, 15), (80, 24), (120, 40)])
def test_resume_picks_a_session(three: list[str], server: ResponsesServer, columns: int, rows: int) -> None:
    """Newest first, with a preview; typed words find it, Enter continues it; the picker leaves no trace."""
    heron, hash_maps, _ = three
    with Terminal([ASST, "chat", "-r"], columns, rows) as terminal:
        text = terminal.wait_for("You said: Where do")
        first, _, listed = text.partition("\n")
        assert first.startswith("Continue which session?")
        assert first.endswith("3, newest first")
        assert len(first) == columns
        assert [listed.index(title) for title in ("Where do herons", "Hash maps", "What is a pelican?")] == sorted(
            listed.index(title) for title in ("Where do herons", "Hash maps", "What is a pelican?")
        )
        assert f"› {_short(heron)}  " in listed
        assert all(len(line) <= columns for line in text.splitlines())
        assert ("│ You" in text) == (columns >= 110)
        terminal.type("hash")
        terminal.wait_for("1, newest first")
        assert "herons" not in terminal.text
        terminal.type("\r")
        text = terminal.wait_for(f'Continuing "Hash maps against trees" ({_short(hash_maps)}): 1 turn')
        assert "Continue which" not in text
        _say(terminal, "And which is faster?")
    assert len(server.requests[-1].json["input"]) == 3
    assert Store().transcript(hash_maps).exchange_count == 2


def test_words_of_an_answer_find_a_session(three: list[str], server: ResponsesServer, asst: Asst) -> None:
    """Not only titles are searched; the preview shows the turn in which the words occur."""
    server.brain = lambda _: [Say("It weighs a kilogram.")]
    asst("ask", "-p", "gpt", "-c", "How heavy is one?")
    server.brain = lambda _: [Say("No idea.")]
    asst("ask", "-p", "gpt", "-c", "And who knows?")
    with Terminal([ASST, "chat", "-r"]) as terminal:
        terminal.wait_for("No idea.")
        terminal.type("kilogr")
        terminal.wait_for("1, newest first")
        terminal.wait_for("gpt  It weighs a kilogram.")
        terminal.type("xx")
        terminal.wait_for("Nothing found.")


def test_resume_takes_an_id_or_words(three: list[str]) -> None:
    """`-r zxz5` continues that session at once; words open the picker with them."""
    with Terminal([ASST, "chat", "-r", _short(three[2])]) as terminal:
        terminal.wait_for('Continuing "What is a pelican?"')
    with Terminal([ASST, "chat", "-r", "hash"]) as terminal:
        terminal.wait_for("Search: hash")
        terminal.wait_for("1, newest first")


def test_esc_leaves_the_picker(three: list[str]) -> None:
    """Then nothing is continued, and nothing stays on the screen."""
    with Terminal([ASST, "chat", "-r"]) as terminal:
        terminal.wait_for("3, newest first")
        terminal.type("\x1b")
        assert terminal.wait_end() == 0
        assert terminal.text == ""


def test_resume_says_that_there_is_nothing(server: ResponsesServer) -> None:
    """Without a session there is nothing to pick; with -c there are two answers."""
    for arguments, message in ((["-r"], "No session is saved yet."), (["-r", "-c"], "can't be combined")):
        with Terminal([ASST, "chat", *arguments]) as terminal:
            terminal.wait_for(message)
            assert terminal.wait_end() != 0


def test_sessions_changes_the_session(three: list[str], server: ResponsesServer, chat: Chat) -> None:
    """`/sessions` continues another one, Tab a copy of it, /search begins with words; the draft and the old one stay."""
    with chat() as terminal:
        _say(terminal, "A new one")
        terminal.enter("/sessions")
        terminal.wait_for("4, newest first")
        terminal.type("\x1b[B\r")
        terminal.wait_for('Continuing "Where do herons live?"')
        _say(terminal, "And in winter?")
        terminal.enter("/search pelican")
        terminal.wait_for("1, newest first")
        terminal.type("\t")
        terminal.wait_for('Continuing "What is a pelican?"')
        _say(terminal, "And its beak?")
        terminal.type("\x04")
        copy = Store().newest()
        terminal.wait_for(f"Saved as {_short(copy)} · 2 turns")
        assert terminal.wait_end() == 0
    opening = Store().records(copy)[0].event
    assert isinstance(opening, SessionOpened)
    assert opening.forked_from == three[2]
    assert [Store().transcript(one).exchange_count for one in three] == [2, 1, 1]
    assert len(server.requests[-1].json["input"]) == 3


def test_max_cost_counts_on_in_another_session(server: ResponsesServer, chat: Chat) -> None:
    """What was spent before `/fork` or `/sessions` counts afterwards: the limit is the chat's."""
    server.brain = lambda _: [Say("word " * 1200)]
    with chat("-m", "gpt-6-luna", "--max-cost", "0.0007") as terminal:
        _say(terminal, "first")
        terminal.enter("/fork")
        terminal.wait_for("Continuing")
        terminal.enter("second")
        terminal.wait_for("the limit is $0.0007")
    assert len(server.requests) == 1


def test_a_session_that_is_open_elsewhere_is_left(three: list[str], chat: Chat) -> None:
    """Who has it is said, and the chat continues where it was."""
    other = Store().open(three[0])
    try:
        with chat() as terminal:
            _say(terminal, "Mine")
            terminal.enter("/sessions")
            terminal.wait_for("4, newest first")
            terminal.type("\x1b[B\r")
            terminal.wait_for(f"Session {three[0]} is open in")
            terminal.wait_for('Continuing "Mine"')
            _say(terminal, "Still here")
    finally:
        other.close()


def test_the_picker_renames(three: list[str]) -> None:
    """Ctrl-R edits the title; Esc leaves it as it was."""
    with Terminal([ASST, "chat", "-r"]) as terminal:
        terminal.wait_for("3, newest first")
        terminal.type("\x12")
        terminal.wait_for("New title: Where do herons live?")
        terminal.type(" Far away\r")
        terminal.wait_for("Where do herons live? Far away")
        terminal.type("\x12")
        terminal.wait_for("New title")
        terminal.type("zzz\x1b")
        terminal.wait_for("Search:")
        assert "zzz" not in terminal.text
    assert Store().summary(three[0]).title == "Where do herons live? Far away"


def test_rename_session_and_farewell(server: ResponsesServer, chat: Chat) -> None:
    """The title, the short id, the turns and the cost are said; the end says how to continue."""
    with chat() as terminal:
        terminal.enter("/session")
        terminal.wait_for("new")
        _say(terminal, "hello")
        terminal.enter("/rename Price of  AAPL")
        terminal.wait_for('This session is called "Price of AAPL".')
        session = Store().newest()
        terminal.enter("/session")
        terminal.wait_for(f'"Price of AAPL" · {_short(session)} · 1 turn · <$0.0001')
        assert session in terminal.text
        terminal.type("\x04")
        assert terminal.wait_end() == 0
        short = _short(session)
        assert f"Saved as {short} · 1 turn · <$0.0001 · continue: asst chat -c (or -r {short})" in terminal.text
    assert Store().summary(session).title == "Price of AAPL"


@pytest.mark.parametrize(
    ("columns", "end"), [(60, "<$0.0001 · continue: asst chat -c"), (50, "continue: asst chat -c")]
)
def test_the_farewell_is_one_row(server: ResponsesServer, chat: Chat, columns: int, end: str) -> None:
    """Where it doesn't fit, the second way to continue goes first, then the cost."""
    with chat(columns=columns) as terminal:
        _say(terminal, "hello")
        terminal.wait_for_prompt()
        terminal.type("\x04")
        assert terminal.wait_end() == 0
        assert terminal.text.splitlines()[-1] == f"Saved as {_short(Store().newest())} · 1 turn · {end}"


def test_leaving_at_once_saves_nothing(server: ResponsesServer, chat: Chat) -> None:
    """And it is said so."""
    with chat() as terminal:
        terminal.type("\x04")
        assert terminal.wait_end() == 0
        assert "Nothing was said, so nothing was saved." in terminal.text
    assert list(Store().ids()) == []


def test_fork_continues_in_a_copy(server: ResponsesServer, chat: Chat) -> None:
    """`/fork 1` has the first turn only, with the title and the instructions of now; the original stays as it was."""
    with chat() as terminal:
        _say(terminal, "one", "two")
        original = Store().newest()
        terminal.enter("/system Be brief.")
        terminal.wait_for("Be brief.   (")
        terminal.enter("/fork 3")
        terminal.wait_for('Error: This chat has no turn "3": it has 2 turns.\n  List them: /rewind')
        terminal.enter("/rename Counting")
        terminal.wait_for('is called "Counting"')
        terminal.enter("/fork 1")
        terminal.wait_for(f"Copied {_short(original)} to ")
        terminal.wait_for('Continuing "Counting"')
        terminal.enter("three")
        terminal.wait_for("You said: three")
    body = server.requests[-1].json
    assert (len(body["input"]), body["instructions"]) == (3, "Be brief.")
    assert Store().transcript(original).exchange_count == 2
    assert Store().newest() != original


def test_rewind_goes_back(server: ResponsesServer, chat: Chat) -> None:
    """Without a number the turns are listed; with one, the assistant sees those up to it, and the file keeps all."""
    with chat() as terminal:
        _say(terminal, "one", "two", "three")
        terminal.enter("/rewind")
        terminal.wait_for("  3  three\nTo go back to one: /rewind N")
        terminal.enter("/rewind 9")
        terminal.wait_for('Error: This chat has no turn "9": it has 3 turns.\n  List them: /rewind')
        terminal.enter("/rewind 1")
        terminal.wait_for('Back at turn 1: "one"\nUndone: 2 turns. The session file still has them.')
        _say(terminal, "four")
        terminal.enter("/fork 2")
        terminal.wait_for('Continuing "one"')
        terminal.enter("five")
        terminal.wait_for("You said: five")
    assert [part["content"][0]["text"] for part in server.requests[3].json["input"][::2]] == ["one", "four"]
    assert [part["content"][0]["text"] for part in server.requests[4].json["input"][::2]] == ["one", "four", "five"]


@pytest.mark.parametrize("command", ["/fork", "/rename x", "/show", "/session"])
def test_a_chat_that_is_not_saved_says_so(server: ResponsesServer, chat: Chat, command: str) -> None:
    """There is no session to rename or copy."""
    with chat("--no-save") as terminal:
        _say(terminal, "hello")
        terminal.enter(command)
        terminal.wait_for("This chat isn't saved (--no-save).")


def test_a_long_session_shows_its_last_turns(server: ResponsesServer, chat: Chat, tmp_path: Path) -> None:
    """`-c` shows two turns and says how many there are; /show pages through all of them."""
    pager = tmp_path / "pager"
    pager.write_text(f'#!/bin/sh\ncat >{tmp_path}/paged\necho "PAGED"\n')
    pager.chmod(0o755)
    with chat() as terminal:
        _say(terminal, "one", "two", "three", "four")
    with chat("-c", rows=15, env={"PAGER": str(pager)}) as terminal:
        short = _short(Store().newest())
        terminal.wait_for(f'Continuing "one" ({short}): 4 turns, the last 2 below · /show')
        terminal.wait_for("You said: four")
        assert "You said: two" not in terminal.text
        terminal.enter("/show")
        terminal.wait_for("PAGED")
        terminal.enter("still here?")
        terminal.wait_for("You said: still here?")
    assert "You said: two" in (tmp_path / "paged").read_text()
    with chat(
        "-c", columns=55
    ) as terminal:  # in one row, whatever the width: the hint goes first, then the end of the title
        terminal.wait_for(f'\nContinuing "one" ({short}): 5 turns, the last 2 below\n')
        terminal.enter("/rename A title that is rather long")
        terminal.wait_for("is called")
    with chat("-c", columns=60) as terminal:
        terminal.wait_for(f'\nContinuing "A title that…" ({short}): 5 turns, the last 2 below\n')


def test_titles_end_with_a_word(server: ResponsesServer, asst: Asst) -> None:
    """The first words of the message that fit into 60 characters are the title."""
    asst("ask", "-p", "gpt", "Please explain to me how I write a downloader with retries and a progress bar in Go")
    assert Store().summary(Store().newest()).title == "Please explain to me how I write a downloader with retries"


def test_the_model_names_the_session(server: ResponsesServer, asst: Asst, chat: Chat) -> None:
    """With `title = "model"` in the profile, it is asked once, after the first turn; /rename wins over it."""
    made = asst("setup", "gpt", "--name", "named", "--yes", "--no-check")
    assert made.code == 0, made.err
    file = config_file()
    file.write_text(file.read_text().replace("[profiles.named]\n", '[profiles.named]\ntitle = "model"\n'))

    def brain(request: object) -> list[Say]:
        return [Say('"Large Water Birds"\n')] if "title of at most six words" in str(request) else [Say("A bird.")]

    server.brain = brain
    with Terminal([ASST, "chat", "-p", "named"]) as terminal:
        terminal.enter("What is a pelican?")
        terminal.wait_for("A bird.")
        terminal.wait_until(lambda: len(server.requests) == 2)
        terminal.enter("And a heron?")
        terminal.wait_until(lambda: len(server.requests) == 3)
        terminal.enter("/session")
        terminal.wait_for('"Large Water Birds"')
        terminal.enter("/quit")
        assert terminal.wait_end() == 0
    transcript = Store().transcript(Store().newest())
    assert transcript.title == "Large Water Birds"
    assert transcript.exchange_count == 2
    assert len(server.requests) == 3
    assert sent(server) == "And a heron?"


def test_ten_thousand_sessions_open_at_once(three: list[str], chat: Chat) -> None:
    """The picker reads only the sessions that it shows: 0.2 s of the processor, where reading all takes many times as long."""
    store = Store()
    last = ulid.time_of(three[0])
    journal = store.path(three[0])
    for number in range(10_000):
        name = ulid.new(last - 3_600_000 - number)
        store.path(name).parent.mkdir(exist_ok=True)
        store.path(name).hardlink_to(journal)
        store.path(name).with_suffix(".json").hardlink_to(journal.with_suffix(".json"))
    with chat() as terminal:
        terminal.wait_for_prompt()
        before = _processor_seconds(terminal)
        terminal.enter("/sessions")
        terminal.wait_for("10,003, newest first")
        assert _processor_seconds(terminal) - before < 2
        terminal.type("pelican")
        terminal.wait_for("Search: pelican")
        terminal.wait_for("What is a pelican?", within=60)


def _processor_seconds(terminal: Terminal) -> float:
    """What the command in the terminal has used; unlike the clock, a busy machine doesn't change it."""
    fields = Path(f"/proc/{terminal.process.pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
