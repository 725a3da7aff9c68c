"""What a session cost, for a row of the table: from its transcript, as `asst usage --by session` counts it."""

from __future__ import annotations

from ...core.errors import AsstError
from ...core.money import Cost, dollars
from ...store.search_text import indexed_text
from ...store.store import Store

__all__ = ["session_cost"]


def session_cost(store: Store, session: str) -> str:
    """`$0.018`, `local`, `price ?`, `$0.76 + ?`; empty without a request, or if it is unknown."""
    from ..exchange_cost import prices

    try:
        table = prices()
        requests = indexed_text(store, session, store.path(session).stat().st_size).requests
        cost = sum(
            (table.cost(one.entry) if one.reported else table.unreported(one.entry.provider) for one in requests),
            Cost(),
        )
    except (
        AsstError,
        OSError,
    ):  # prices.toml has an error, which `asst usage` reports; or the session was deleted just now
        return ""
    if cost.priced:
        return dollars(cost.usd) + (" + ?" if cost.unknown else "")
    return "price ?" if cost.unknown else str(cost)
