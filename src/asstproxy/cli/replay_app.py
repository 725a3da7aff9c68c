"""The signature of `asst replay`."""

from __future__ import annotations

from typing import Annotated

import typer

from . import completion

__all__ = ["replay"]


def replay(
    session: Annotated[
        str,
        typer.Argument(
            help="The beginning of its id, or a file (journal or transcript); without one, the newest.",
            autocompletion=completion.sessions,
        ),
    ] = "",
    speed: Annotated[str, typer.Option("--speed", help="Times as fast as it was (4, 0.5, …), or max.")] = "1",
    step: Annotated[bool, typer.Option("--step", help="Wait for a key before every record.")] = False,
    from_: Annotated[int, typer.Option("--from", min=1, help="Begin with the record of this number.")] = 1,
    check: Annotated[
        bool, typer.Option("--check", help="Drive a fresh mediator and report the first difference.")
    ] = False,
    events: Annotated[bool, typer.Option("--events", help="Print the records as JSON lines.")] = False,
) -> None:
    """Play a session again, as it was seen."""
    from .replay import Pace, check_session, print_events, replay

    if check:
        raise typer.Exit(check_session(session))
    if events:
        print_events(session, from_)
        return
    from .event_loop import run

    pace = Pace.of(speed, step=step, first=from_)
    raise typer.Exit(run(lambda _: replay(session, pace)))
