"""The words of a tool call, in every drawing of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy.core.conversation import Conversation
from asstproxy.core.events import ActionRequired, Decision, ToolCall
from asstproxy.providers.scripted import ScriptedProvider, say
from asstproxy.store.store import Store
from asstproxy.text.call_text import call_line, call_text, output_text, refusal_words
from asstproxy.tools import Question, as_tool
from asstproxy.user import UserProxy
from cli.terminal import Terminal
from store.rig import ASST, asst, upper

INVISIBLE = "\u200b\u3164\u2800\u00ad\u202e\u2066\ufe0f\U000e0041"


@given(st.text(st.sampled_from(INVISIBLE + "ab\u00e9 \n"), max_size=20))
def test_nothing_of_a_call_is_dropped(text: str) -> None:
    """Invisible characters are escaped, the others stay: no two calls look the same."""
    for shown in (call_text(text), output_text(text)):
        assert not set(shown) & set(INVISIBLE)
        assert shown.count("\\u") == sum(c in INVISIBLE[:-1] for c in text) + 2 * text.count(INVISIBLE[-1])


def test_a_call_shows_controls_an_output_leaves_colours_out() -> None:
    """What a tool gets is shown whole; what it returned reads as it would on a terminal."""
    assert call_text("a\x1b[31mb\x9bc") == "a\\u001b[31mb\\u009bc"
    assert output_text("a\x1b[31mb\u200b") == "ab\\u200b"
    assert call_line("a\n b") == "a b"


def test_a_refusal_names_no_person_who_was_not_asked() -> None:
    """Only a person's own refusal is "you said no"."""
    assert refusal_words("person", "wrong\u200b file") == "you said no: wrong\\u200b file"
    assert refusal_words("nobody") == refusal_words("") == "not approved"


@pytest.fixture
def refused() -> str:
    """A session with a call that a person refused; its id."""

    async def hold() -> str:
        session = Store().create()
        call = ToolCall("c1", "upper", '{"text": "a\u200bb"}')
        user = UserProxy([as_tool(upper, approval="ask")], approve=_refuse)
        conversation = Conversation(ScriptedProvider([ActionRequired((call,))], say("Then not.")), user)
        conversation.subscribe(session, essential=True)
        await conversation.exchange("hi")
        session.close()
        return session.id

    return asyncio.run(hold())


async def _refuse(questions: Sequence[Question]) -> list[Decision]:
    return [question.no("wrong file") for question in questions]


@pytest.mark.parametrize("form", ["show", "sequence", "replay", "html", "md", "mermaid"])
def test_every_drawing_says_who_refused_a_call_and_what_it_held(form: str, refused: str) -> None:
    """`sessions show`, its sequence diagram, `replay` on a terminal, and the exports."""
    if form == "replay":
        with Terminal([*ASST, "replay", refused, "--speed", "max"], columns=120) as terminal:
            terminal.wait_end()
            text = terminal.text
    elif form in ("show", "sequence"):
        text = asst("sessions", "show", refused, *(["--sequence"] if form == "sequence" else []), COLUMNS="100").stdout
    else:
        text = asst("sessions", "export", refused, "-f", form).stdout
    assert "\u200b" not in text
    assert "a#92;u200bb" in text if form == "mermaid" else "a\\u200bb" in text
    assert "you said no" in text
    assert "wrong file" in text
