"""`/model`, `/profile`, `/compare` and `/set`: who answers in the chat, and how."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from asstproxy import Store
from asstproxy.config.paths import config_dir, private_dir
from servers import Call, Fail, ResponsesServer, Say, Script

from .conftest import ASST
from .terminal import Terminal

DOWN, ESC = "\x1b[B", "\x1b"


@pytest.fixture(autouse=True)
def _profiles() -> None:
    config = private_dir(config_dir()) / "config.toml"
    config.write_text('[profiles.terse]\nprovider = "gpt"\nmodel = "gpt-6.1-terra"\n')
    config.chmod(0o600)


@contextmanager
def _chat(*arguments: str, columns: int = 80, rows: int = 30, **env: str) -> Iterator[Terminal]:
    with Terminal([ASST, "chat", "-p", "gpt", *arguments], columns, rows, env=env) as terminal:
        terminal.wait_for("›")
        yield terminal


def _ask(terminal: Terminal, message: str) -> None:
    done = terminal.text.count("completed")
    terminal.enter(message)
    terminal.wait_until(lambda: terminal.text.count("completed") > done)


def _models_of(server: ResponsesServer) -> list[Any]:
    return [request.json["model"] for request in server.requests if request.path.endswith("/responses")]


# ---- /model -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("columns", "rows"), [(60, 15), (80, 30), (120, 40)])
def test_models_are_listed_with_prices_and_notes(server: ResponsesServer, columns: int, rows: int) -> None:
    """The provider's list, with prices, contexts and shutdown dates, in rows that fit; what is chosen answers next."""
    with _chat(columns=columns, rows=rows) as terminal:
        terminal.enter("/model")
        text = terminal.wait_for("Esc back").partition("› /model\n")[2]
        lines = text.splitlines()
        assert lines[0].split() == ["Model", "In", "/", "out", "per", "1M", "Context", "Notes"]
        luna = next(line for line in lines if "gpt-6-luna" in line)
        assert luna.startswith("› gpt-6-luna ")
        assert "$0.10 /  $0.50    1.05M  in use" in luna
        assert ("ends 2027-01-14" if columns == 60 else "shuts down 2027-01-14") in text
        terminal.type(DOWN)
        terminal.wait_for("› gpt-6.1-terra")
        terminal.type("\r")
        terminal.wait_for("\ngpt · gpt-6.1-terra")
        assert "Esc back" not in terminal.text
        _ask(terminal, "hi")
    assert _models_of(server) == ["gpt-6.1-terra"]


def test_a_model_is_found_by_typing(server: ResponsesServer) -> None:
    """Words are searched in names and notes; Backspace widens the search; what isn't listed is taken as it was typed."""
    with _chat() as terminal:
        terminal.enter("/model")
        terminal.wait_for("Esc back")
        terminal.type("2027")
        terminal.wait_for("1 of 6")
        assert "› gpt-4o" in terminal.text
        terminal.type("\x7f" * 4 + "6.2")
        terminal.wait_for("2 of 6")
        terminal.type("x")
        terminal.wait_for("Enter takes it as it is")
        terminal.type("\r")
        terminal.wait_for("\ngpt · 6.2x")


@pytest.mark.parametrize("key", [ESC, "\x03"], ids=["Esc", "Ctrl-C"])
def test_back_from_the_list_changes_nothing(server: ResponsesServer, key: str) -> None:
    """The chat goes on, with the model that it had."""
    with _chat() as terminal:
        terminal.enter("/model")
        terminal.wait_for("Esc back")
        terminal.type(DOWN + DOWN)
        terminal.wait_for("› gpt-6.2-sol")
        terminal.type(key)
        terminal.wait_for("\ngpt · gpt-6-luna")
        _ask(terminal, "hi")
    assert _models_of(server) == ["gpt-6-luna"]


def test_without_the_provider_the_known_models_are_listed(server: ResponsesServer) -> None:
    """One line says why; the list is there, as is a terminal that can't redraw: it gets plain lines."""
    with _chat(columns=120, OPENAI_BASE_URL="http://127.0.0.1:9/v1") as terminal:
        terminal.enter("/model")
        text = terminal.wait_for("Esc back")
        assert "These are the models that asst knows:" in text
        assert "gpt-6.2-sol" in text
    with _chat(TERM="dumb") as terminal:
        terminal.enter("/model")
        terminal.wait_for("Choose one: /model NAME")
        assert "gpt-6.2-sol" in terminal.text
        assert "Esc back" not in terminal.text


def test_what_follows_a_command_is_completed(server: ResponsesServer) -> None:
    """As in the shell: models, profiles, settings, tools."""
    with _chat(columns=120) as terminal:
        for typed, completed in (
            ("/model gpt-6.1", "› /model gpt-6.1-terra"),
            ("/profile ters", "› /profile terse"),
            ("/compare ters", "› /compare terse"),
            ("/set temp", "› /set temperature="),
        ):
            terminal.type(typed)
            terminal.wait_for(f"› {typed}")
            terminal.type("\t")
            terminal.wait_for(completed)
            terminal.type("\x15")
            terminal.wait_until(lambda completed=completed: completed not in terminal.text)  # type: ignore[misc]


# ---- /profile and /set ---------------------------------------------------------------------------------------------------


def test_a_profile_is_chosen_from_a_list(server: ResponsesServer) -> None:
    """With its model; Esc goes back."""
    with _chat() as terminal:
        terminal.enter("/profile")
        terminal.wait_for("Esc back")
        terminal.type("terse")
        terminal.wait_for("› terse")
        terminal.type("\r")
        terminal.wait_for("terse · gpt-6.1-terra · no instructions")
        _ask(terminal, "hi")
    assert _models_of(server) == ["gpt-6.1-terra"]


def test_a_setting_is_changed_for_the_next_message(server: ResponsesServer) -> None:
    """Typed by the API's table; null leaves it out."""
    with _chat() as terminal:
        terminal.enter("/set max_output_tokens=77")
        terminal.wait_for("max_output_tokens = 77")
        _ask(terminal, "hi")
        terminal.enter("/set max_output_tokens=null")
        terminal.wait_for("No settings.")
        _ask(terminal, "again")
    assert [request.json.get("max_output_tokens") for request in server.requests] == [77, None]


# ---- /compare ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [60, 80, 109, 110, 120])
def test_both_answers_are_shown(server: ResponsesServer, columns: int) -> None:
    """Side by side from 110 columns, one after the other below; each with its model, tokens and cost."""
    server.brain = Script([Say("The **first** answer.")], [Say("The second answer.")])
    with _chat(columns=columns) as terminal:
        _ask(terminal, "hi")
        terminal.enter("/compare terse")
        text = terminal.wait_for("is saved as fork").partition("/compare terse")[2]
        rows = text.splitlines()
        first = next(row for row in rows if row.startswith("1  gpt · gpt-6-luna"))
        assert ("2  terse · gpt-6.1-terra" in first) == (columns >= 110)
        assert any("The first answer." in row and "The second answer." in row for row in rows) == (columns >= 110)
        assert ("─" * columns in rows) == (columns < 110)
        assert sum(row.count("completed · ") for row in rows) == 2


def test_enter_continues_with_the_first_and_keeps_the_other(server: ResponsesServer) -> None:
    """The second answer is in a copy of the session, which is not the latest one."""
    server.brain = Script([Say("zero")], [Say("one")], [Say("two")], [Say("three")])
    with _chat() as terminal:
        _ask(terminal, "first")
        _ask(terminal, "second")
        terminal.enter("/compare terse")
        terminal.wait_for("is saved as fork")
        terminal.type("\r")
        terminal.wait_until(lambda: terminal.text.splitlines().count("›") == 2)
        _ask(terminal, "third")
    store = Store()
    own = store.transcript(store.newest())
    assert [(one.user, one.answer, one.model) for one in own.exchanges] == [
        ("first", "zero", "gpt-6-luna"),
        ("second", "one", "gpt-6-luna"),
        ("third", "three", "gpt-6-luna"),
    ]
    (other,) = [store.transcript(one) for one in store.ids() if one != own.id]
    assert other.forked_from == own.id
    assert [(one.user, one.answer, one.model) for one in other.exchanges] == [
        ("first", "zero", "gpt-6-luna"),
        ("second", "two", "gpt-6.1-terra"),
    ]
    inputs = [len(request.json["input"]) for request in server.requests]
    assert inputs[2] == inputs[1], "the other assistant is sent the same conversation"


def test_two_continues_with_the_other(server: ResponsesServer) -> None:
    """In the copy, with its assistant; the first answer stays in the session that it came from."""
    server.brain = Script([Say("one")], [Say("two")], [Say("three")])
    with _chat() as terminal:
        _ask(terminal, "first")
        terminal.enter("/compare terse")
        terminal.wait_for("is saved as fork")
        terminal.type("x\r")
        terminal.wait_for("Type 1 or 2")
        terminal.type("2\r")
        terminal.wait_for("terse · gpt-6.1-terra\n")
        terminal.wait_for("Continuing")
        _ask(terminal, "second")
        terminal.wait_for("three")
    assert _models_of(server) == ["gpt-6-luna", "gpt-6.1-terra", "gpt-6.1-terra"]
    assert "two" in str(server.requests[-1].json["input"])
    assert sorted([one.answer for one in Store().transcript(session).exchanges] for session in Store().ids()) == [
        ["one"],
        ["two", "three"],
    ]


def test_the_other_profile_has_its_own_instructions_and_tools(server: ResponsesServer, tmp_path: Path) -> None:
    """It is asked as it would be alone; its tool runs, and what it is called with is shown."""
    file = tmp_path / "mytools.py"
    file.write_text(
        "from asstproxy import tool\n\n@tool(read_only=True)\ndef price(symbol: str) -> str:\n"
        '    """The price."""\n    return "4 EUR"\n'
    )
    config = config_dir() / "config.toml"
    config.write_text(f'{config.read_text()}instructions = "Be terse."\ntools = ["{file}"]\n')
    server.brain = Script([Say("one")], [Call("price", {"symbol": "A"})], [Say("It is 4 EUR.")])
    with _chat("-s", "Be verbose.") as terminal:
        _ask(terminal, "first")
        terminal.enter("/compare terse")
        terminal.wait_for("is saved as fork")
    first, second, third = [request.json for request in server.requests]
    assert (first["instructions"], second["instructions"]) == ("Be verbose.", "Be terse.")
    assert [tool["name"] for tool in second["tools"]] == ["price"]
    assert "tools" not in first
    assert "4 EUR" in str(third["input"])
    assert "completed · " in terminal.text.partition("2  terse")[2]


def test_enter_does_not_choose_an_answer_that_failed(server: ResponsesServer) -> None:
    """Where the first assistant gave an error, Enter continues with the other."""
    server.brain = Script([Fail("invalid_prompt")], [Say("two")], [Say("three")])
    with _chat() as terminal:
        terminal.enter("first")
        terminal.wait_for("Error")
        terminal.enter("/compare terse")
        terminal.wait_for("Continue with 1 or 2? Enter: 2.")
        terminal.type("\r")
        terminal.wait_for("Continuing")
        terminal.wait_for_prompt()
        terminal.enter("second")
        terminal.wait_for("three")
    assert _models_of(server) == ["gpt-6-luna", "gpt-6.1-terra", "gpt-6.1-terra"]


def test_an_assistant_that_fails_leaves_no_copy(server: ResponsesServer) -> None:
    """Its error is on the screen; the chat goes on as before."""
    server.brain = Script([Say("one")], [Fail("invalid_prompt")], [Say("two")])
    with _chat() as terminal:
        _ask(terminal, "first")
        terminal.enter("/compare terse")
        terminal.wait_for("terse can't answer:")
        _ask(terminal, "second")
    assert len(list(Store().ids())) == 1


def test_what_can_not_be_compared(server: ResponsesServer) -> None:
    """Before the first turn, without a profile, an unknown one, and a chat that isn't saved: one line each."""
    with _chat() as terminal:
        terminal.enter("/compare terse")
        terminal.wait_for("Nothing to compare")
        _ask(terminal, "hi")
        terminal.enter("/compare")
        terminal.wait_for("/compare needs a profile.")
        terminal.enter("/compare nobody")
        terminal.wait_for("No such profile")
    with _chat("--no-save") as terminal:
        _ask(terminal, "hi")
        terminal.enter("/compare terse")
        terminal.wait_for("this chat isn't saved")
    assert len(server.requests) == 2
