"""Redaction of what an assistant sends: whole texts, and texts that arrive in pieces."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy.core.redact import hide_cut_end, remove_secrets
from asstproxy.core.reply_redaction import TextRedactor

KEY = "sk-proj-Zyx/wvu+tsr_0123456789abcdef"
FORMS = {
    "as it is": KEY,
    "blanks": " ".join(KEY),
    "line ends": "\n".join(KEY[at : at + 7] for at in range(0, len(KEY), 7)),
    "percent": quote(KEY, safe=""),
    "all percent": "".join(f"%{byte:02X}" for byte in KEY.encode()),
    "all percent, lower": "".join(f"%{byte:02x}" for byte in KEY.encode()),
    **{f"base64 after {n}": base64.b64encode(b"x" * n + KEY.encode() + b"yz").decode() for n in range(4)},
    "base64 alone": base64.b64encode(KEY.encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(KEY.encode()).decode(),
    "base64 in lines": base64.encodebytes(KEY.encode() * 3).decode(),
}


def _gives_away(text: str) -> bool:
    """Whether eight letters in a row of the key can be had from a text."""
    squeezed = "".join(text.split())
    pieces = {
        form[at : at + 12] for form in map("".join, map(str.split, FORMS.values())) for at in range(3, len(form) - 14)
    }
    return any(piece in squeezed for piece in pieces)


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_found_in_every_form(form: str) -> None:
    """As it is, with blanks or line ends in it, percent-encoded, in base64 at any place; the text around it stays."""
    text = remove_secrets(f"The key: {FORMS[form]}. That was it.", [KEY])
    assert text.startswith("The key: ")
    assert text.endswith("That was it.")
    assert "[key]" in text
    assert not _gives_away(text)


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
def test_a_secret_is_found_however_it_is_split(form: str, data: st.DataObject) -> None:
    """Whatever the pieces, the result says the same as for the whole text, but for three letters at the most."""
    text = f"sky sk- {FORMS[form]} and so on"
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text) - 1), max_size=len(text))))
    redactor = TextRedactor([KEY])
    pieces = [redactor.feed(text[begin:end]) for begin, end in zip([0, *cuts], [*cuts, None], strict=True)]
    shown = "".join(pieces) + redactor.flush()
    assert not _gives_away(shown)
    assert "[key]" in shown
    assert shown.startswith("sky sk- ")
    assert shown.endswith(" and so on")


@given(st.lists(st.text(st.sampled_from("sk-proZyx \n[e]"), max_size=12), max_size=12))
def test_what_is_no_secret_stays_as_it_is(pieces: list[str]) -> None:
    """Nothing is lost, added or reordered in a text without the key, however much it looks like one."""
    redactor = TextRedactor([KEY])
    text = "".join(map(redactor.feed, pieces))
    rest = redactor.flush()
    assert text + rest == "".join(pieces) or (rest == "[key]" and "".join(pieces).startswith(text))


def test_a_secret_that_was_cut_at_the_end_leaves_no_prefix() -> None:
    """A limit of the output may end an answer within the key; a few letters are no secret."""
    for length in range(len(KEY)):
        text = hide_cut_end(f"It is {KEY[:length]}", [KEY])
        assert text == (f"It is {KEY[:length]}" if length < 8 else "It is [key]")
        redactor = TextRedactor([KEY])
        assert "".join(map(redactor.feed, f"It is {KEY[:length]}")) + redactor.flush() in (
            f"It is {KEY[:length]}",
            f"It is {KEY[:3]}[key]",
        )


def test_a_piece_that_ends_like_no_secret_does_not_wait() -> None:
    """Without a key near, every piece passes at once, as it is."""
    redactor = TextRedactor([KEY])
    for piece in ("Hello", " wor", "ld s", "k", "-", " ", "sk-", "pqr"):
        assert redactor.feed(piece) == piece
