"""`asst schema`: its options and help."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

__all__ = ["schema"]


def schema(
    name: Annotated[
        str, typer.Argument(help="events (--events, session files), result (--json), batch or transcript.")
    ],
) -> None:
    """Print the JSON Schema of what asst prints or saves."""
    import json

    from ...core.errors import UsageError
    from ..published_schemas import SCHEMAS

    if name not in SCHEMAS:
        raise UsageError(f"No such schema: '{name}'.", f"Choose one of: {', '.join(SCHEMAS)}.")
    sys.stdout.write(json.dumps(SCHEMAS[name](), indent=2, ensure_ascii=False) + "\n")
