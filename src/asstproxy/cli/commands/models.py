"""`asst models`: its options and help."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import completion

__all__ = ["models"]


def models(
    profile: Annotated[
        str,
        typer.Argument(
            envvar="ASST_PROFILE",
            help="Profile whose provider is asked. [default: the default profile]",
            show_default=False,
            autocompletion=completion.profiles,
        ),
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the models of a profile's provider. With notes, prices, context and shutdown dates, as far as they are known."""
    from ..event_loop import run
    from ..model_table import print_models

    raise typer.Exit(run(lambda _: print_models(profile, as_json=json)))
