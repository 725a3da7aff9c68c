"""After a failure or a cancellation the message is asked again, and nothing of the failed exchange is sent with it."""

from __future__ import annotations

from asstproxy import Store
from asstproxy.config.profiles import config_file
from cli.conftest import ASST, Asst
from cli.terminal import Terminal
from servers import Cut, ResponsesServer, Say, Script, Status, Wait

HINT = "Try again: asst ask --retry"


def test_an_answer_that_broke_off_is_asked_again(asst: Asst, server: ResponsesServer) -> None:
    """The part stands on stdout and in the session; the error says how to ask again, and that sends the message only."""
    server.brain = lambda _: [Say("The whole answer.")]
    server.faults.add(Cut(event=6, how="reset", first=1))
    ran = asst("ask", "-p", "gpt", "hi")
    assert ran.code == 1
    assert "The whole answer.".startswith(ran.out.strip())
    assert ran.out.strip()
    assert HINT in ran.err
    assert Store().transcript(Store().newest()).exchanges[0].answer == ran.out.strip()
    again = asst("ask", "--retry")
    assert (again.code, again.out) == (0, "The whole answer.\n")
    assert [item["content"][0]["text"] for item in server.requests[-1].json["input"]] == ["hi"]
    asst("ask", "-c", "more")
    assert str(server.requests[-1].json["input"]).count("The whole") == 1


def test_the_hint_is_given_only_where_it_helps(asst: Asst, server: ResponsesServer) -> None:
    """Not for a wrong key, not for what was not kept, not with -q; the session is named, a fork by its own name."""
    asst("ask", "-p", "gpt", "hi")
    session = Store().newest()
    server.faults.add(Cut(event=6))
    assert HINT not in asst("ask", "-p", "gpt", "--no-save", "hi").err
    assert f"{HINT} --session {session}" in asst("ask", "--session", session, "hi").err
    assert HINT not in asst("ask", "-q", "--session", session, "hi").err
    forked = asst("ask", "--fork", "--session", session, "hi").err
    assert f"{HINT} --session {Store().newest()}" in forked
    assert session not in forked
    server.faults.clear()
    server.faults.add(Status(401))
    assert HINT not in asst("ask", "-p", "gpt", "hi").err


def test_retry_works_after_an_error_and_after_ctrl_c(server: ResponsesServer) -> None:
    """In the chat: the hint stands below the error; what broke off, and what was stopped, is not sent again."""
    server.brain = Script(
        [Say("First.")], [Say("A part of it.")], [Say("Another part."), Wait(60)], [Say("All of it.")]
    )
    server.faults.add(Cut(event=6, how="reset", first=1, skip=1))
    with Terminal([ASST, "chat", "-p", "gpt"]) as terminal:
        terminal.wait_for("›")
        terminal.enter("one")
        terminal.wait_for("First.")
        terminal.enter("two")
        terminal.wait_for("Try again: /retry")
        terminal.enter("/retry")
        terminal.wait_for("Another part.")
        terminal.type("\x03")
        terminal.wait_for("cancelled · ")
        terminal.enter("/retry")
        terminal.wait_for("All of it.")
    sent = str(server.requests[-1].json["input"])
    assert "First." in sent
    assert sent.count("two") == 1
    assert "part" not in sent


def test_retry_fetches_what_the_provider_made_in_the_background(server: ResponsesServer) -> None:
    """In the chat, too: the answer of an exchange that failed is fetched by its token, and the next turn follows it."""
    server.brain = lambda _: [Say("So it is.")]
    server.faults.add(Status(401, on="^GET|cancel"))
    config_file().parent.mkdir()
    config_file().write_text("[profiles.gpt]\npoll = 0.05\n")
    with Terminal([ASST, "chat", "-p", "gpt", "--background", "--no-stream"]) as terminal:
        terminal.wait_for("›")
        terminal.enter("one")
        terminal.wait_for("Check the key")
        server.faults.clear()
        terminal.enter("/retry")
        terminal.wait_for("So it is.")
        assert [request.method for request in server.requests].count("POST") == 2  # one of them asks to stop
        terminal.enter("two")
        terminal.wait_until(lambda: terminal.text.count("So it is.") == 2)
    sent = [request.json for request in server.requests if request.path.endswith("/responses")][-1]["input"]
    texts = [item["content"] if isinstance(item["content"], str) else item["content"][0]["text"] for item in sent]
    assert texts == ["one", "So it is.", "two"]


def test_retry_after_undo_does_not_bring_back_what_was_undone(server: ResponsesServer, asst: Asst) -> None:
    """What /undo took back stays gone; the message before it is named and asked again, in the chat and in the shell."""
    server.brain = lambda _: [Say("So it is.")]
    with Terminal([ASST, "chat", "-p", "gpt"]) as terminal:
        for number, line in enumerate(("one", "two", "three"), 1):
            terminal.enter(line)
            terminal.wait_until(lambda number=number: terminal.text.count("completed") == number)  # type: ignore[misc]
        terminal.enter("/undo")
        terminal.wait_for('Undone: "three". The assistant no longer sees it; the session file does.')
        terminal.enter("/retry")
        terminal.wait_for('Trying again: "two"')
        terminal.wait_until(lambda: terminal.text.count("completed") == 4)
        assert _asked(server) == ["one", "So it is.", "two"]
        terminal.enter("/undo")
        terminal.wait_for('Undone: "two"')
        terminal.type("\x04")
        terminal.wait_end()
    asst("ask", "--retry")
    assert _asked(server) == ["one"]
    with Terminal([ASST, "chat", "-c"]) as terminal:
        terminal.enter("/undo")
        terminal.wait_for('Undone: "one"')
        terminal.enter("/retry")
        terminal.wait_for("Nothing to retry")
    assert asst("ask", "--retry").code == 2
    assert _asked(server) == ["one"]


def _asked(server: ResponsesServer) -> list[str]:
    contents = [item["content"] for item in server.requests[-1].json["input"]]
    return [content if isinstance(content, str) else content[0]["text"] for content in contents]
