"""The schema of an answer, as an option or a slash command names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.errors import UsageError

if TYPE_CHECKING:
    from ..tools.schema_source import ChosenSchema

__all__ = ["schema_of"]


def schema_of(schema: str, schema_multi: str = "") -> ChosenSchema | None:
    """The schema that `--schema` or `--schema-multi` names; None if neither is given.

    Raises:
        UsageError: both are given, or the schema is not valid.
    """
    if schema and schema_multi:
        raise UsageError("--schema and --schema-multi can't be combined.", "Give one of them.")
    if not schema and not schema_multi:
        return None
    from ..tools.schema_source import choose_schema

    return choose_schema(schema or schema_multi, many=bool(schema_multi))
