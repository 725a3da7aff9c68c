"""`asst sessions`: its options and help."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from .. import completion
from ..suggest import SuggestingGroup

__all__ = ["sessions"]

sessions = typer.Typer(
    help="List, show, search, export and change saved sessions.",
    cls=SuggestingGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
)

AnySession = Annotated[
    str,
    typer.Argument(
        help="Its id, as asst sessions list shows it. Default: the latest session.",
        metavar="[SESSION]",
        autocompletion=completion.sessions,
    ),
]
OneSession = Annotated[
    str,
    typer.Argument(
        help="Its id, as asst sessions list shows it.", metavar="SESSION", autocompletion=completion.sessions
    ),
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many to print.")]
All = Annotated[bool, typer.Option("--all", help="Print all of them.")]
Since = Annotated[str, typer.Option("--since", help="Started in this time (7d, 12h), or since this day (2026-11-01).")]
Provider = Annotated[str, typer.Option("--provider", help="Answered by this provider or profile.")]
InState = Annotated[str, typer.Option("--state", help="In this state: completed, error, cancelled, …")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask for confirmation.")]


@sessions.command("list", short_help="List sessions, latest first.")
def list_(
    limit: Limit = 20,
    all_: All = False,
    since: Since = "",
    provider: Provider = "",
    state: InState = "",
    json: Annotated[bool, typer.Option("--json", help="Print a JSON array.")] = False,
) -> None:
    """List sessions, latest first: when, id, state, turns, tokens, profile and model, title."""
    from ...store.filters import make_filter
    from ..sessions.listing import list_sessions

    list_sessions(None if all_ else limit, make_filter(since, provider, state), as_json=json)


@sessions.command()
def show(
    session: AnySession = "",
    events: Annotated[bool, typer.Option("--events", help="Print the steps as JSON lines.")] = False,
    timeline: Annotated[bool, typer.Option("--timeline", help="Draw each turn as bars over time.")] = False,
    sequence: Annotated[bool, typer.Option("--sequence", help="Draw the messages as a sequence diagram.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the transcript.")] = False,
    states: Annotated[bool, typer.Option("--states", help="Print the states that each turn passed through.")] = False,
) -> None:
    """Show a session as it looked in the chat."""
    from ..sessions.show import show_session

    forms = {"events": events, "timeline": timeline, "sequence": sequence, "json": json}
    show_session(session, next((form for form, chosen in forms.items() if chosen), ""), states=states)


@sessions.command()
def search(
    words: Annotated[list[str], typer.Argument(help="All of them must occur; word* matches beginnings.")],
    limit: Limit = 10,
    all_: All = False,
    since: Since = "",
    provider: Provider = "",
    state: InState = "",
    json: Annotated[bool, typer.Option("--json", help="Print a JSON array.")] = False,
) -> None:
    """Search the text of all sessions, best match first."""
    from ...store.filters import make_filter
    from ..sessions.search import search_sessions

    search_sessions(" ".join(words), None if all_ else limit, make_filter(since, provider, state), as_json=json)


@sessions.command(short_help="Write one as JSON, Markdown, HTML or a diagram.")
def export(
    session: AnySession = "",
    format_: Annotated[
        Literal["json", "md", "html", "mermaid"] | None,
        typer.Option("--format", "-f", help="Format to write. Default: as the suffix of -o says, else json."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    files: Annotated[bool, typer.Option("--files", help="Put attached files into a transcript (json).")] = False,
) -> None:
    """Write a session as a transcript, Markdown, one HTML page, or a Mermaid sequence diagram."""
    from ..sessions.transfer import export_session

    export_session(session, format_ or "", output, with_files=files)


@sessions.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A transcript, a session file, or the logs.db of llm.")],
    json: Annotated[bool, typer.Option("--json", help="Print a JSON array of the new ids.")] = False,
) -> None:
    """Save sessions that were made elsewhere."""
    from ..sessions.transfer import import_sessions

    import_sessions(file, as_json=json)


@sessions.command()
def rename(session: OneSession, title: Annotated[str, typer.Argument(help="The new title.")]) -> None:
    """Give a session a title."""
    from ..sessions.change import rename_session

    rename_session(session, title)


@sessions.command(short_help="Copy a session to continue differently.")
def fork(
    session: OneSession,
    at: Annotated[int | None, typer.Option("--at", min=0, help="Copy only the first so many turns.")] = None,
) -> None:
    """Copy a session to continue differently; prints the new id."""
    from ..sessions.change import fork_session

    fork_session(session, at)


@sessions.command()
def rm(
    session: Annotated[list[str], typer.Argument(help="The beginnings of their ids.", metavar="SESSION…")],
    yes: Yes = False,
) -> None:
    """Delete sessions."""
    from ..sessions.change import remove_sessions

    remove_sessions(session, yes=yes)


@sessions.command()
def prune(
    older_than: Annotated[
        str, typer.Option("--older-than", help="Not used for this long (90d, 12w), or since this day.")
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete them.")] = False,
) -> None:
    """List old sessions; with --yes, delete them."""
    from ..sessions.change import prune_sessions

    prune_sessions(older_than, yes=yes)


@sessions.command(short_help="Print where a session file is.")
def path(
    session: Annotated[
        str,
        typer.Argument(
            help="Its id, as asst sessions list shows it. Default: the folder of all sessions.", metavar="[SESSION]"
        ),
    ] = "",
) -> None:
    """Print the path of a session file, or of the folder with all of them."""
    from ...store.store import Store

    store = Store()
    sys.stdout.write(f"{store.path(store.find(session)) if session else store.root}\n")
