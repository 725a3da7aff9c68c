"""Which tools of MCP servers are offered, and under which names.

A name must fit all providers and be used once; all tools together must be no more than a provider takes. Nobody here can edit the
server, so a tool is renamed, or left out, and one notice for each server says so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from .portable_schema import MAX_NAME
from .tool import Tool

__all__ = ["Offer", "fit", "name_for"]

MAX_NAMED = 5
"""How many tools one notice names."""


@dataclass(slots=True)
class Offer:
    """The tools of one server: each with the name that it has there, in the order of its list.

    `left_out`: the name of each tool that can't be offered, with the reason. `cut`: why the list was not read to its end.
    """

    server: str
    tools: list[tuple[str, Tool]] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    cut: str = ""


def name_for(server: str, name: str) -> str:
    """The name of a server's tool for the assistant: only characters that all providers take, and no more than they take."""
    known_as = re.sub(r"[^A-Za-z0-9_-]", "_", f"{server}_{name}")
    if not re.match(r"[A-Za-z_]", known_as):
        known_as = f"_{known_as}"
    if len(known_as) <= MAX_NAME:
        return known_as
    digest = hashlib.sha256(f"{server}_{name}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{known_as[: MAX_NAME - 9]}_{digest}"


def fit(own: Sequence[Tool], offers: Sequence[Offer], limit: int) -> tuple[list[Tool], list[str]]:
    """The tools of the servers next to those that the person named (`own`), at most `limit` in all; and the notices.

    If they are too many, the servers with the most tools lose some.
    """
    taken = {tool.name for tool in own}
    share = _share([len(offer.tools) for offer in offers], limit - len(own))
    fitted: list[Tool] = []
    notices: list[str] = []
    for offer in offers:
        renamed: list[str] = []
        for name, tool in offer.tools[:share]:
            fitting = _unused(tool.name, taken)
            taken.add(fitting)
            fitted.append(tool if fitting == tool.name else replace(tool, name=fitting))
            if fitting != tool.name or len(f"{offer.server}_{name}") > MAX_NAME:
                renamed.append(f"'{_short(name)}' is '{fitting}'")
        notices += _notices(offer, share, renamed, limit)
    return fitted, notices


def _share(counts: Sequence[int], room: int) -> int:
    """How many tools of each server there is room for; a server with fewer leaves the rest to the others."""
    share = max(counts, default=0)
    while share > 0 and sum(min(count, share) for count in counts) > room:
        share -= 1
    return share


def _unused(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        end = f"_{number}"
        candidate = f"{name[: MAX_NAME - len(end)]}{end}"
    return candidate


def _notices(offer: Offer, share: int, renamed: list[str], limit: int) -> list[str]:
    notices = []
    server = f"The MCP server '{offer.server}'"
    if offer.cut:
        notices.append(f"Only a part of the tools of the MCP server '{offer.server}' is known. {offer.cut}")
    if renamed:
        notices.append(f"{server} has names that are too long or used twice: {_some(renamed)}.")
    if offer.left_out:
        reasons = [f"'{_short(name)}' ({reason.rstrip('.')})" for name, reason in offer.left_out]
        notices.append(f"{server} has tools that can't be offered: {_some(reasons)}.")
    if len(offer.tools) > share:
        over = [f"'{_short(name)}'" for name, _ in offer.tools[share:]]
        notices.append(
            f"{server} has {len(offer.tools)} tools, and providers take {limit} in all. Left out: {_some(over)}. "
            f'To choose, list the ones you need in the profile: mcp.{offer.server}.tools = ["…"].'
        )
    return notices


def _short(name: str) -> str:
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"


def _some(items: Iterable[str]) -> str:
    given = list(items)
    more = f" and {len(given) - MAX_NAMED} more" if len(given) > MAX_NAMED else ""
    return ", ".join(given[:MAX_NAMED]) + more
