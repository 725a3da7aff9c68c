"""Hints: what is below the command line reports codes, and only the command line names commands and options."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import asstproxy
from asstproxy import SessionError, UsageError
from asstproxy.cli.hints import CHAT_HINTS, HINTS, hint_after, hint_for
from asstproxy.core.events import AssistantMessageRetrieved, ErrorOccurred

ROOT = Path(asstproxy.__file__).parent
BELOW = [
    path
    for place in ("core", "config", "store", "tools", "providers", "batches", "export/write.py", "user.py", "start.py")
    for path in ([ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py")))
]
COMMAND = re.compile(
    r"\basst (ask|batch|chat|doctor|replay|script|sessions|setup|templates|tools)\b"
    r"|(?<![\w-])--(?!port\b|host\b)[a-z]+"
    r"|(?<!\S)-[a-zA-Z] [A-Z]{2,}"
    r"|(?<!\S)/(clear|fork|help|model|profile|retry|save|system|undo)\b"
)


def _docstrings(tree: ast.AST) -> set[ast.AST]:
    """String statements: docstrings, and what stands below an attribute."""
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def _raised() -> Iterator[tuple[str, str, set[str]]]:
    """Where an error gets a code: the place, the code, and the names in its data."""
    for path in BELOW:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            given = {word.arg: word.value for word in node.keywords}
            code, data = given.get("code"), given.get("data")
            if code is None:
                continue
            names = {str(key.value) for key in getattr(data, "keys", []) if isinstance(key, ast.Constant)}
            for one in ast.walk(code):
                if isinstance(one, ast.Constant) and one.value:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", str(one.value), names
        # A code that is chosen before it is given.
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assign) and [getattr(t, "id", "") for t in node.targets] == ["code"]:
                for one in ast.walk(node.value):
                    if isinstance(one, ast.Constant) and one.value in HINTS:
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", str(one.value), set()


def test_nothing_below_the_command_line_names_a_command() -> None:
    """A program that uses the library gets no advice that only a person at a shell could follow."""
    found = []
    for path in BELOW:
        tree = ast.parse(path.read_text())
        skip = _docstrings(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in skip:
                found += [f"{path.relative_to(ROOT)}:{node.lineno} {hit[0]}" for hit in COMMAND.finditer(node.value)]
    assert found == []


def test_every_code_has_a_hint_and_every_hint_a_code() -> None:
    """The table of the command line and the errors below it agree."""
    raised = {code for _, code, _ in _raised()}
    assert raised == set(HINTS)
    assert set(CHAT_HINTS) <= raised


def test_every_value_in_a_hint_comes_with_the_error() -> None:
    """No hint has a gap."""
    for place, code, names in _raised():
        wanted = {name for _, name, _, _ in string.Formatter().parse(HINTS[code]) if name}
        if "setup" in wanted:  # made of two of them
            wanted = wanted - {"setup"} | {"profile", "provider"}
        assert wanted <= names, place


def test_a_chat_is_told_its_own_commands() -> None:
    """The same error: an option for the shell, a slash command in a chat."""
    error = UsageError("No turn is running at the provider.", "Send the message again.", code="no_exchange_to_attach")
    assert hint_for(error) == "Try again: asst ask --retry"
    assert hint_for(error, chat=True) == "Try again: /retry"
    assert error.hint == "Send the message again."


def test_an_error_without_a_code_keeps_its_own_hint() -> None:
    """So does one of a third party's provider, and one of a newer version."""
    assert hint_for(SessionError("Gone.", "Look elsewhere.")) == "Look elsewhere."
    assert hint_for(SessionError("Gone.", "Look elsewhere.", code="not_in_the_table")) == "Look elsewhere."


def test_after_a_failure_the_next_command_is_named() -> None:
    """What may pass can be asked again; a conversation that is too long has to become shorter."""
    down, long = ErrorOccurred("server", "Down."), ErrorOccurred("context_length", "Too long.")
    assert hint_after(down, session="01ABC") == "Try again: asst ask --retry --session 01ABC"
    assert hint_after(down, chat=True) == "Try again: /retry"
    assert "asst sessions fork 01ABC" in hint_after(long, session="01ABC")
    assert "/clear" in hint_after(long, chat=True)
    for final in (ErrorOccurred("quota", "No credit."), AssistantMessageRetrieved("yes")):
        assert hint_after(final, session="01ABC") == hint_after(final, chat=True) == ""
    assert hint_after(down) == ""
