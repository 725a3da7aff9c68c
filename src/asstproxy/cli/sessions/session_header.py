"""The first line of a session that is shown: its title, its short id, who answered, when, and what it cost."""

from __future__ import annotations

from decimal import Decimal

from rich.text import Text

from ...core.errors import AsstError
from ...core.money import Cost
from ...store.short_ids import short_ids
from ...store.store import Store
from ...store.transcript import Transcript
from ...text.safe_text import clean_line
from .table import relative_time

__all__ = ["session_header"]


def session_header(store: Store, transcript: Transcript, width: int) -> Text:
    """One row: the title is cut last."""
    session = transcript.id
    facts = [
        short_ids(store, [session]).get(session, "") if session else "",
        clean_line(transcript.profile or transcript.provider),
        clean_line(transcript.model),
        relative_time(transcript.created),
        _cost(transcript),
    ]
    facts = [fact for fact in facts if fact]
    title = Text(clean_line(transcript.title) or "Untitled", style="bold")
    while facts and len(facts) > 1 and title.cell_len + sum(len(fact) + 3 for fact in facts) > width:
        facts.pop()
    room = width - sum(len(fact) + 3 for fact in facts)
    title.truncate(max(room, 8), overflow="ellipsis")
    return Text.assemble(title, ("".join(f" · {fact}" for fact in facts), "dim"), no_wrap=True, overflow="ellipsis")


def _cost(transcript: Transcript) -> str:
    from ..exchange_cost import exchange_cost

    try:
        cost = sum(map(exchange_cost, transcript.exchanges), Cost(Decimal(0)))
    except AsstError:  # of prices.toml; `asst usage` says it
        return ""
    return str(cost) if cost.priced else ""
