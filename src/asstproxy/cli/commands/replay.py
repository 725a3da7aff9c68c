"""`asst replay`: its options and help."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import completion

__all__ = ["replay"]


def replay(
    session: Annotated[
        str,
        typer.Argument(
            help="Its id, as asst sessions list shows it, or a session file or transcript. Default: the latest session.",
            autocompletion=completion.sessions,
        ),
    ] = "",
    speed: Annotated[str, typer.Option("--speed", help="Times as fast as recorded (4, 0.5, …), or max.")] = "1",
    step: Annotated[bool, typer.Option("--step", help="Wait for a key before every step.")] = False,
    from_: Annotated[int, typer.Option("--from", min=1, help="Start at the step with this number.")] = 1,
    check: Annotated[
        bool, typer.Option("--check", help="Drive a fresh mediator and report the first difference.")
    ] = False,
    events: Annotated[bool, typer.Option("--events", help="Print the steps as JSON lines.")] = False,
) -> None:
    """Play a session again, as it was on the screen."""
    from ..sessions.player import Pace, check_session, play_session, print_steps

    if check:
        raise typer.Exit(check_session(session))
    if events:
        print_steps(session, from_)
        return
    from ..event_loop import run

    pace = Pace.parse(speed, step=step, first=from_)
    raise typer.Exit(run(lambda _: play_session(session, pace)))
