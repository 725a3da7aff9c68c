"""`asst help`: its arguments and help."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

__all__ = ["help"]


def _names(incomplete: str) -> list[tuple[str, str]]:
    from ..help_topics import TOPICS

    return [(name, about) for name, about in TOPICS.items() if name.startswith(incomplete)]


def help(  # noqa: A001 - the name of the command
    context: typer.Context,
    topic: Annotated[
        list[str] | None,
        typer.Argument(help="A topic or a command. Without one: all of them.", autocompletion=_names),
    ] = None,
) -> None:
    """Explain a topic (keys, sessions, tools, …) or a command."""
    from ...core.errors import UsageError
    from ...core.near_names import near_names
    from ..fitted import fitted
    from ..help_topics import TOPICS, topic_text
    from ..pager import paged

    name = "-".join(topic or []).lower()
    group = context.parent.command if context.parent is not None else None
    commands = group.list_commands(context) if group is not None else []  # type: ignore[attr-defined]
    if not name:
        lines = [f"  {topic:<12}{about}\n" for topic, about in TOPICS.items()]
        last = "Show one: asst help TOPIC. A command's options: asst COMMAND -h\n"
        sys.stdout.write(fitted("".join(["Topics:\n", *lines, last])))
    elif name in TOPICS:
        with paged() as stream:
            stream.write(fitted(topic_text(name), paragraphs=True))
    elif name in commands and group is not None:
        command = group.get_command(context, name)  # type: ignore[attr-defined]
        with paged() as stream:
            stream.write(command.get_help(typer.Context(command, info_name=name, parent=context.parent)) + "\n")
    else:
        near = near_names(name, [*TOPICS, *commands])
        raise UsageError(
            f'No help on "{" ".join(topic or [])}".', f"Try: asst help {near[0]}" if near else "List topics: asst help"
        )
