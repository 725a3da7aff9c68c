"""`/compact`: the assistant sums up the chat, and is sent the summary from then on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from asstproxy import Store
from asstproxy.config.paths import config_dir, private_dir
from asstproxy.core.history import SUMMARY_REQUEST, History, UserMessage
from servers import Fail, GeminiServer, ResponsesServer, Say, Script

from .conftest import ASST, Asst
from .terminal import Terminal


@contextmanager
def _chat(*arguments: str, columns: int = 80) -> Iterator[Terminal]:
    with Terminal([ASST, "chat", *arguments], columns) as terminal:
        terminal.wait_for("›")
        yield terminal


def _ask(terminal: Terminal, message: str) -> None:
    done = terminal.text.count("completed")
    terminal.enter(message)
    terminal.wait_until(lambda: terminal.text.count("completed") > done)


def _sent(request: Any) -> list[str]:
    """The texts of the messages of a request."""
    contents = [item["content"] for item in request.json["input"]]
    return [one if isinstance(one, str) else one[0]["text"] for one in contents]


@pytest.fixture
def compacted(server: ResponsesServer) -> ResponsesServer:
    """A saved session of two turns, and their summary."""
    server.brain = Script([Say("A plane.")], [Say("A tree.")], [Say("They spoke of a **plane**.")], [Say("Fine.")])
    with _chat("-p", "gpt") as terminal:
        _ask(terminal, "What is a Cessna?")
        _ask(terminal, "And what is an oak tree?")
        terminal.enter("/compact")
        terminal.wait_for("Compacted 2 turns into a summary")
    return server


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_assistant_is_sent_the_summary_from_then_on(server: ResponsesServer, columns: int) -> None:
    """One line says what became of the turns; the summary is printed on demand; the next message brings only the summary."""
    server.brain = Script([Say("A plane.")], [Say("A tree.")], [Say("They spoke of a **plane**.")], [Say("Fine.")])
    with _chat("-p", "gpt", "-m", "gpt-6-luna", columns=columns) as terminal:
        _ask(terminal, "What is a Cessna?")
        _ask(terminal, "And what is an oak tree?")
        terminal.enter("/compact")
        text = terminal.wait_for("/compact show")
        line = " ".join(text.partition("Compacted")[2].split("›")[0].split())
        assert line.startswith("2 turns into a summary: ")
        assert " → " in line
        assert "$0.0" in line
        assert "They spoke" not in text
        terminal.enter("/compact show")
        terminal.wait_for("They spoke of a plane.")
        _ask(terminal, "Go on.")
    assert _sent(server.requests[2])[-1] == SUMMARY_REQUEST
    assert _sent(server.requests[3]) == [SUMMARY_REQUEST, "They spoke of a **plane**.", "Go on."]


def test_the_next_run_another_provider_and_a_copy_get_the_summary(
    compacted: ResponsesServer, asst: Asst, tmp_path: Path
) -> None:
    """`-c` in a new process, a fork, and a session that was exported and imported: each is sent the summary alone."""
    session = Store().newest()
    checked = asst("replay", session, "--check")
    assert (checked.code, "conform" in checked.out) == (0, True)
    compacted.brain = lambda _: [Say("ok")]
    transcript, journal = tmp_path / "copy.json", tmp_path / "copy.jsonl"
    transcript.write_text(asst("sessions", "export", session, "--format", "json").out)
    journal.write_bytes(Store().path(session).read_bytes())
    for file in (transcript, journal):
        imported = asst("sessions", "import", str(file), "--json")
        assert imported.code == 0, imported.err
        assert asst("ask", "--session", json.loads(imported.out)[0], "-p", "gpt", "Go on.").code == 0
        assert _sent(compacted.requests[-1])[1:] == ["They spoke of a **plane**.", "Go on."]
    assert asst("ask", "--session", session, "--fork", "Go on.").code == 0
    assert _sent(compacted.requests[-1])[1:] == ["They spoke of a **plane**.", "Go on."]
    assert asst("ask", "--session", session, "Go on.").code == 0
    assert _sent(compacted.requests[-1])[1:] == ["They spoke of a **plane**.", "Go on."]


def test_after_moving_to_another_provider(
    server: ResponsesServer, asst: Asst, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Gemini sums up what gpt answered, and is sent the last two turns as they were; so is gpt, moved back. `--check` agrees."""
    server.brain = Script([Say("One.")], [Say("Two.")], [Say("Three.")], [Say("Four.")], [Say("Last.")])
    with GeminiServer(Script([Say("They counted.")], [Say("Six.")])) as gemini:
        monkeypatch.setenv("GEMINI_API_KEY", gemini.key)
        config = private_dir(config_dir()) / "config.toml"
        config.write_text(f'[profiles.google]\nprovider = "gemini"\nbase_url = "{gemini.url}"\n')
        config.chmod(0o600)
        with _chat("-p", "gpt") as terminal:
            for word in ("one, which is long", "two", "three", "four"):
                _ask(terminal, word)
            terminal.enter("/profile google")
            terminal.wait_for("google · gemini")
            terminal.enter("/compact")
            terminal.wait_for("Compacted 2 turns, kept the last 2")
            _ask(terminal, "six")
            terminal.enter("/rewind")
            listed = terminal.wait_for("To go back to one").partition("/rewind")[2]
            assert [row.split("  ")[-1] for row in listed.splitlines()[1:5]] == [
                "Summary of 2 turns",
                "three",
                "four",
                "six",
            ]
            terminal.enter("/rewind 2")
            terminal.wait_for('Back at turn 2: "three"')
        asked, later = [
            [part["text"] for one in it.json["contents"] for part in one["parts"]] for it in gemini.requests
        ]
    assert asked == ["one, which is long", "One.", "two", "Two.", SUMMARY_REQUEST]
    assert later == [SUMMARY_REQUEST, "They counted.", "three", "Three.", "four", "Four.", "six"]
    assert asst("ask", "-c", "-p", "gpt", "last").code == 0
    assert _sent(server.requests[-1]) == [SUMMARY_REQUEST, "They counted.", "three", "Three.", "last"]
    checked = asst("replay", "--check")
    assert (checked.code, "conform" in checked.out) == (0, True)
    shown = " ".join(asst("sessions", "show").out.split())
    assert "The first 2 turns became a summary for the assistant; the last 2 stayed as they were." in shown
    assert "Of what is above, the assistant now sees only the summary and 1 turn after it." in shown
    assert "turn 6 of 6" in shown  # the summary is no turn of the user
    assert asst("sessions", "export", "--format", "md").out.count("*undone*") == 2
    exported = asst("sessions", "export", "--format", "json").out
    (tmp_path / "copy.json").write_text(exported)
    copy = json.loads(asst("sessions", "import", str(tmp_path / "copy.json"), "--json").out)[0]
    history = History()
    for record in Store().records(copy):
        history.feed(record.event)
    assert [exchange[0] for exchange in history.exchanges] == [
        UserMessage(text) for text in (SUMMARY_REQUEST, "three", "last")
    ], "what was undone and what was summed up is so in an import, too"


def test_a_session_shows_that_it_was_compacted(compacted: ResponsesServer, asst: Asst) -> None:
    """The request for the summary isn't a message of the user; exports say what it is."""
    shown = asst("sessions", "show", Store().newest())
    assert "The 2 turns above became a summary" in " ".join(shown.out.split())
    assert "Summarise our" not in shown.out
    for form, asked in (("md", "> *asst asked for a summary of the turns above.*"), ("html", "<h2>asst</h2>")):
        exported = asst("sessions", "export", Store().newest(), "--format", form).out
        assert asked in exported
        assert "plane" in exported


def test_a_summary_that_fails_changes_nothing(server: ResponsesServer) -> None:
    """The error is on the screen, and the next message brings every turn."""
    server.brain = Script([Say("A plane.")], [Fail("invalid_prompt")], [Say("Fine.")])
    with _chat("-p", "gpt") as terminal:
        _ask(terminal, "What is a Cessna?")
        terminal.enter("/compact")
        terminal.wait_for("Nothing was compacted")
        assert "Error" in terminal.text
        _ask(terminal, "Go on.")
    assert _sent(server.requests[-1]) == ["What is a Cessna?", "A plane.", "Go on."]


def test_ctrl_c_stops_a_summary_and_not_the_chat(server: ResponsesServer) -> None:
    """What had arrived of it isn't sent."""
    server.brain = Script([Say("A plane.")], [Say("half"), Say(" is done", pace=30)], [Say("Fine.")])
    with _chat("-p", "gpt") as terminal:
        _ask(terminal, "What is a Cessna?")
        terminal.enter("/compact")
        terminal.wait_for("Compacting 1 turn")
        terminal.wait_until(lambda: len(server.requests) == 2)
        terminal.type("\x03")
        terminal.wait_for("Nothing was compacted")
        _ask(terminal, "Go on.")
    assert _sent(server.requests[-1]) == ["What is a Cessna?", "A plane.", "Go on."]


def test_there_must_be_something_to_compact_and_to_show(server: ResponsesServer) -> None:
    """Each in one line, and no request is made."""
    with _chat("-p", "gpt") as terminal:
        for line, answer in (
            ("/compact", "Nothing to compact"),
            ("/compact show", "No summary yet"),
            ("/compact it", 'nothing but "show"'),
        ):
            terminal.enter(line)
            terminal.wait_for(answer)
    assert server.requests == []


def test_a_summary_can_not_be_undone_or_asked_again(compacted: ResponsesServer) -> None:
    """Both would leave the assistant with nothing."""
    with _chat("-c") as terminal:
        for line in ("/undo", "/retry"):
            terminal.enter(line)
            terminal.wait_for(f"Nothing to {line[1:]}: the assistant sees only the summary")


def test_it_is_offered_when_the_context_fills(server: ResponsesServer, asst: Asst) -> None:
    """From 80 % of the model's window on, once; after it, the chat fills little."""
    server.brain = Script([Say("Long.")], [Say("ok")], [Say("ok")], [Say("A summary.")], [Say("ok")])
    assert asst("ask", "-p", "gpt", "-m", "gpt-4o", stdin="word " * 84_000).code == 0
    with _chat("-c") as terminal:
        _ask(terminal, "Go on.")
        text = terminal.wait_for("/compact summarises older turns.")
        assert "of gpt-4o's context" in text
        _ask(terminal, "And on.")
        assert terminal.text.count("/compact summarises") == 1
        terminal.enter("/compact")
        terminal.wait_for("Compacted 1 turn, kept the last 2")
        _ask(terminal, "On.")
        assert terminal.text.count("/compact summarises") == 1
