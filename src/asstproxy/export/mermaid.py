"""A session as a Mermaid sequence diagram."""

from __future__ import annotations

from collections.abc import Sequence

from ..text.safe_text import clean_label
from .sequence import Arrow

__all__ = ["mermaid"]

_SHORT = ("U", "M", "A", "P")
_LONGEST = 80
_SPECIAL = frozenset('#;<>&"`{}[]()%\\')


def mermaid(arrows: Sequence[Arrow]) -> str:
    """The diagram's source. Text of the conversation is escaped."""
    lines = [
        "sequenceDiagram",
        "    participant U as User Proxy",
        "    participant M as Mediator",
        "    participant A as Assistant Proxy",
        "    participant P as API",
    ]
    exchange = 0
    for arrow in arrows:
        if arrow.exchange != exchange:
            exchange = arrow.exchange
            lines.append(f"    Note over U,P: Turn {exchange}")
        source, target = _SHORT[arrow.source], _SHORT[arrow.target]
        many = f" ×{arrow.count}" if arrow.count > 1 else ""
        label = f"{_text(arrow.name)}{many}{f' · {_text(arrow.text)}' if arrow.text else ''}"
        if arrow.source == arrow.target:
            lines.append(f"    Note over {source}: {label}")
        else:
            lines.append(f"    {source}{'-->>' if arrow.kind == 'order' else '->>'}{target}: {label}")
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    # Entities, as Mermaid writes them: its parser ends a statement at ";" and interprets "#" and HTML.
    return "".join(f"#{ord(c)};" if c in _SPECIAL else c for c in clean_label(text, _LONGEST))
