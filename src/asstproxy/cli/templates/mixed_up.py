"""`-t` and `-T` mixed up: in llm, `-t` names a template and `-T` a tool. The error says which option is meant."""

from __future__ import annotations

from collections.abc import Sequence

from ...config.template import Template
from ...config.templates import load_template, template_names
from ...core.errors import UsageError

__all__ = ["load_named", "template_meant"]


def load_named(named: str) -> Template:
    """The template that `-T` names.

    Raises:
        UsageError: it is unknown, or has an error; if it is the name of a tool, the message says so.
    """
    try:
        return load_template(named)
    except UsageError as error:
        from ...tools.loading import installed

        if error.code == "template_unknown" and named in installed():
            raise UsageError(f"{named} is a tool, not a template.", f"Offer it: -t {named}") from None
        raise


def template_meant(error: UsageError, tools: Sequence[str]) -> UsageError:
    """The error about a tool that can't be loaded; if its name is that of a template, it says so."""
    named = next((name for name in tools if f"'{name}'" in str(error) and name in template_names()), "")
    return UsageError(f"No such tool: '{named}'.", f"It is a template: -T {named}") if named else error
