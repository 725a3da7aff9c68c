"""The address of a database: it may hold a password, so it is never printed, logged or written as it is."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field

from ...core.errors import AsstError, NotSetUpError, UsageError
from ...core.redact import redact_logs, register_secrets

__all__ = ["Address", "address_of", "unreachable"]

SCHEMA = "asst"
"""The schema of all our tables."""
PATIENCE = 10
"""Seconds in which a connection must be made."""
_LOGGERS = ("psycopg", "psycopg.pool", "procrastinate", *(f"procrastinate.{part}" for part in ("worker", "connector")))


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is: `conninfo` is for libpq, `shown` (host, port and name) for people."""

    conninfo: str = field(repr=False)
    shown: str


def address_of(text: str) -> Address:
    """The address of a database, `postgresql://user:password@host:port/name`; libpq's variables and `.pgpass` hold, too.

    Raises:
        UsageError: it isn't one.
        NotSetUpError: the package `psycopg` is missing.
    """
    if not text.startswith(("postgresql://", "postgres://")):
        raise _wrong()
    for package in ("psycopg", "psycopg_pool", "procrastinate"):
        if importlib.util.find_spec(package) is None:
            raise NotSetUpError(
                f"A database needs the package {package}.", "Run: pip install 'asstproxy[batch-postgres]'"
            )
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    redact_logs(_LOGGERS)
    try:
        parts = conninfo_to_dict(text)
    except ProgrammingError:  # it quotes the address
        raise _wrong() from None
    register_secrets(str(parts.get("password") or ""), text)
    options = f"{parts.get('options') or ''} -c search_path={SCHEMA}".strip()
    parts = {"application_name": "asst_batch", "connect_timeout": str(PATIENCE), **parts, "options": options}
    host, port, name = parts.get("host") or "localhost", parts.get("port"), parts.get("dbname")
    return Address(make_conninfo("", **parts), f"{host}{f':{port}' if port else ''}{f'/{name}' if name else ''}")


def _wrong() -> UsageError:
    return UsageError("The database must be a Postgres address.", "For example: postgresql://user@host:5432/name")


def unreachable(address: Address, error: BaseException) -> AsstError:
    """The error of a database that doesn't answer, or refuses us."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = next((line for line in lines if "FATAL:" in line or "failed:" in line), lines[0] if lines else "no answer")
    for mark in ("FATAL:", "failed:"):
        reason = reason.rpartition(mark)[2].strip() or reason
    return AsstError(
        f"The database at {address.shown} can't be used: {reason.rstrip('.')}.",
        "Check the address, and that Postgres runs.",
    )
