"""Docstrings: what the function does, and what its parameters are, in the three styles that people write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asstproxy.tools.docstring import parse_docstring

GOOGLE = """Send a message.

    It may take
    a while.

    Args:
        text (str, optional): What to say,
            in your words.
        to: Whom.
        **rest (dict[str, int]): More: of it.

    Returns:
        Whether it
        arrived.

    Raises:
        ValueError: If it is empty.

    Example:
        send("a")
    """
SPHINX = """Send a message.

    It may take
    a while.

    :param str text: What to say,
        in your words.
    :param to: Whom.
    :type to: str
    :param rest: More: of it.
    :returns: Whether it
        arrived.
    :raises ValueError: If it is empty.
    """
NUMPY = """Send a message.

    It may take
    a while.

    Parameters
    ----------
    text : str, optional
        What to say,
        in your words.
    to
        Whom.
    **rest : dict
        More: of it.

    Returns
    -------
    Whether it
        arrived.

    Raises
    ------
    ValueError
        If it is empty.
    """


@pytest.mark.parametrize("docstring", [GOOGLE, SPHINX, NUMPY], ids=["google", "sphinx", "numpy"])
def test_the_three_styles_say_the_same(docstring: str) -> None:
    """Description and result stay, parameters are taken apart, what is raised and examples go."""
    text, parameters = parse_docstring(docstring)
    assert text == "Send a message.\n\nIt may take\na while.\n\nReturns: Whether it arrived."
    assert parameters == {"text": "What to say, in your words.", "to": "Whom.", "rest": "More: of it."}


@pytest.mark.parametrize(
    ("docstring", "text"),
    [
        (None, ""),
        ("", ""),
        ("One line.", "One line."),
        ("Args and returns in a sentence: that is no section.", "Args and returns in a sentence: that is no section."),
        ("Look.\n\nNote:\n    It stays.", "Look.\n\nNote:\n    It stays."),
        ("Time is 10:30\n:smile: stays", "Time is 10:30\n:smile: stays"),
        ("Look.\n\nArgs:", "Look."),
    ],
)
def test_what_is_no_section_is_text(docstring: str | None, text: str) -> None:
    """Nothing is lost that may be meant for the assistant."""
    assert parse_docstring(docstring) == (text, {})


@pytest.mark.parametrize(
    ("docstring", "text", "parameters"),
    [
        ("Look.\n\nArgs:\n    x: One.\n\nNote:\n    It stays.", "Look.\n\nNote:\n    It stays.", {"x": "One."}),
        ("Look.\n\nExample:\n    code\n\nMore.\n\nArgs:\n    x: One.", "Look.\n\nMore.", {"x": "One."}),
        ("Look.\n\nParameters\n----------\nx, y : int\n    Both.\n", "Look.", {"x": "Both.", "y": "Both."}),
        ("Look.\n\nArgs:\n    x: One.\n\nNotes\n-----\nIt stays.", "Look.\n\nNotes\n-----\nIt stays.", {"x": "One."}),
        ("Look.\n\nKeyword Args:\n    k: Key.\n\nOther Parameters:\n    z: Zed.", "Look.", {"k": "Key.", "z": "Zed."}),
        ("Look.\n\nReturns:\n    int: How many.\n", "Look.\n\nReturns: int: How many.", {}),
        ("Look.\n\nRaises:\n    ValueError: If not.\n", "Look.", {}),
        (
            "Look.\n\nReturns:\nRaises:\n    ValueError: If not.",
            "Look.\n\nReturns:\nRaises:\n    ValueError: If not.",
            {},
        ),
    ],
)
def test_sections_and_text_may_alternate(docstring: str, text: str, parameters: dict[str, str]) -> None:
    """What follows a section is kept, unless it is a section on arguments, exceptions or examples."""
    assert parse_docstring(docstring) == (text, parameters)


@given(st.text("abc:*-()\n\t. ") | st.text())
def test_any_text_is_a_docstring(docstring: str) -> None:
    """Nothing that stands in a docstring can fail."""
    text, parameters = parse_docstring(docstring)
    assert isinstance(text, str)
    assert all(parameters.values())
