"""The commands of `asst sessions`: signatures and help. What a command needs is imported in its body."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .. import completion

__all__ = ["sessions"]

sessions = typer.Typer(help="The conversations that were kept.", no_args_is_help=True, rich_markup_mode=None)

Which = Annotated[
    str,
    typer.Argument(
        help="The beginning of its id; without one, the newest.",
        metavar="[SESSION]",
        autocompletion=completion.sessions,
    ),
]
One = Annotated[
    str, typer.Argument(help="The beginning of its id.", metavar="SESSION", autocompletion=completion.sessions)
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]
Since = Annotated[str, typer.Option("--since", help="Begun not longer ago (7d, 12h), or since that day (2026-11-01).")]
Provider = Annotated[str, typer.Option("--provider", help="Answered by this provider or profile.")]
InState = Annotated[str, typer.Option("--state", help="In this state: completed, error, cancelled, …")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")]


@sessions.command("list")
def list_(
    limit: Limit = 20,
    all_: All = False,
    since: Since = "",
    provider: Provider = "",
    state: InState = "",
    json: Annotated[bool, typer.Option("--json", help="Print a JSON array.")] = False,
) -> None:
    """List the sessions, the newest first: when, id, state, exchanges, tokens, who, title."""
    from ...store.filters import make_filter
    from .listing import list_sessions

    list_sessions(None if all_ else limit, make_filter(since, provider, state), as_json=json)


@sessions.command()
def show(
    session: Which = "",
    events: Annotated[bool, typer.Option("--events", help="Print the records as JSON lines.")] = False,
    timeline: Annotated[bool, typer.Option("--timeline", help="Draw each exchange as bars over time.")] = False,
    sequence: Annotated[bool, typer.Option("--sequence", help="Draw who said what to whom.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the transcript.")] = False,
) -> None:
    """Show a session as it was in the chat."""
    from .show import show_session

    forms = {"events": events, "timeline": timeline, "sequence": sequence, "json": json}
    show_session(session, next((form for form, wanted in forms.items() if wanted), ""))


@sessions.command()
def search(
    words: Annotated[list[str], typer.Argument(help="All of them must occur; word* finds what begins so.")],
    limit: Limit = 10,
    all_: All = False,
    since: Since = "",
    provider: Provider = "",
    state: InState = "",
    json: Annotated[bool, typer.Option("--json", help="Print a JSON array.")] = False,
) -> None:
    """Search in all that was said; the best match first."""
    from ...store.filters import make_filter
    from .search import search_sessions

    search_sessions(" ".join(words), None if all_ else limit, make_filter(since, provider, state), as_json=json)


@sessions.command()
def export(
    session: Which = "",
    format_: Annotated[
        Literal["json", "md", "html", "mermaid"], typer.Option("--format", "-f", help="What to make of it.")
    ] = "json",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
) -> None:
    """Write a session as a transcript, Markdown, one HTML page, or a Mermaid sequence diagram."""
    from .export import export_session

    export_session(session, format_, output)


@sessions.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A transcript, a journal, or the logs.db of llm.")],
    json: Annotated[bool, typer.Option("--json", help="Print a JSON array of the new ids.")] = False,
) -> None:
    """Keep sessions that come from elsewhere."""
    from .importing import import_file

    import_file(file, as_json=json)


@sessions.command()
def rename(session: One, title: Annotated[str, typer.Argument(help="The new title.")]) -> None:
    """Give a session a title."""
    from .change import rename_session

    rename_session(session, title)


@sessions.command()
def fork(
    session: One,
    at: Annotated[int | None, typer.Option("--at", min=0, help="Keep the first so many exchanges.")] = None,
) -> None:
    """Copy a session, to go on in another way; prints the new id."""
    from .change import fork_session

    fork_session(session, at)


@sessions.command()
def rm(
    session: Annotated[list[str], typer.Argument(help="The beginnings of their ids.", metavar="SESSION…")],
    yes: Yes = False,
) -> None:
    """Delete sessions."""
    from .change import remove_sessions

    remove_sessions(session, yes=yes)


@sessions.command()
def prune(
    older_than: Annotated[
        str, typer.Option("--older-than", help="Not touched for so long (90d, 12w), or since that day.")
    ],
    yes: Yes = False,
) -> None:
    """Say which old sessions could be deleted; with --yes, delete them."""
    from .change import prune_sessions

    prune_sessions(older_than, yes=yes)


@sessions.command()
def path(
    session: Annotated[
        str, typer.Argument(help="The beginning of its id; without one, the folder.", metavar="[SESSION]")
    ] = "",
) -> None:
    """Print where a session's journal is, or where all of them are."""
    from ...store.store import Store

    store = Store()
    typer.echo(store.path(store.find(session)) if session else store.root)
