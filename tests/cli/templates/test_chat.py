"""`asst chat -T`: the template decides who answers and how, and makes the first message."""

from __future__ import annotations

from cli.conftest import ASST
from cli.terminal import Terminal
from servers import ResponsesServer

from .conftest import Write, with_mcp_server


def test_first_message_is_put_into_the_template(server: ResponsesServer, write: Write) -> None:
    """Only the first; the instructions hold for the whole chat, with {{…}} in them filled in."""
    write("translate", "---\nprofile: gpt\nsystem: You speak {{lang}}.\n---\nTranslate to {{lang}}: {{input}}")
    with Terminal([ASST, "chat", "-T", "translate", "-P", "lang=de"]) as terminal:
        terminal.wait_for("Your first message is put into the template translate.")
        terminal.enter("hello {{lang}}")
        terminal.wait_for("You said: Translate to de: hello {{lang}}")
        terminal.wait_for("tokens")
        terminal.enter("and this")
        terminal.wait_for("You said: and this")
    assert {request.json["instructions"] for request in server.requests} == {"You speak de."}


def test_message_of_the_command_line_or_the_text_alone_begins(server: ResponsesServer, write: Write) -> None:
    """A message that is given is the input; a template that needs none is sent at once."""
    write("translate", "Translate: {{input}}")
    write("joke", "Tell a joke.")
    with Terminal([ASST, "chat", "-p", "gpt", "-T", "translate", "hello"]) as terminal:
        terminal.wait_for("You said: Translate: hello")
    with Terminal([ASST, "chat", "-p", "gpt", "-T", "joke"]) as terminal:
        terminal.wait_for("You said: Tell a joke.")


def test_prompt_of_a_server_begins(server: ResponsesServer) -> None:
    """`chat -T server:prompt` sends the prompt first."""
    with_mcp_server({"prompts": [{"name": "hello"}]})
    with Terminal([ASST, "chat", "-p", "gpt", "-T", "s:hello"]) as terminal:
        terminal.wait_for("You said: café hello")


def test_bad_template_opens_no_chat(server: ResponsesServer, write: Write) -> None:
    """A missing value, and instructions that need an input: one line, exit 2."""
    write("who", "---\nsystem: You are {{who}}.\n---\n")
    write("what", "---\nsystem: You explain {{input}}.\n---\nGo")
    for name, says in (("who", "needs a value for who. Add -P who=…"), ("what", 'The template "what" needs an input.')):
        with Terminal([ASST, "chat", "-p", "gpt", "-T", name]) as terminal:
            assert terminal.wait_end() == 2
            assert says in terminal.text
    assert not server.requests
