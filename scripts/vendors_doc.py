"""Write docs/vendors.md from the table of vendors, so that the page cannot differ from the code (a test compares them)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from asstproxy.config.vendors import VENDORS, Vendor

PAGE = Path(__file__).parent.parent / "docs" / "vendors.md"

HEAD = """# Vendors and local servers

Each is a row of a table, `src/asstproxy/config/vendors.py`, and a profile that always exists: no code knows any of them.
`python scripts/vendors_doc.py` writes this page from it. Addresses and keys are those of November 2026.

    GROQ_API_KEY=… asst ask -p groq -m MODEL "hello"     needs no set-up
    asst setup groq                                      checks the key, offers the models, writes a profile
    asst setup list                                      shows whose keys were found, too
    asst setup ollama --base-url http://host:11434       the same server at another address, with or without /v1

For a server that is not in the table:

    asst setup chat-completions --base-url URL [--api-key-env NAME]
    asst setup local --base-url URL                      finds out whether it speaks Responses or Chat Completions

In a profile, `headers = { … }` and `query = { … }` are sent with every request, and `"${NAME}"` in a value stands for the key of
that name: `headers = { cf-aig-authorization = "Bearer ${CF_AIG_TOKEN}" }`. A key in plain text is refused.

*API* is what asst speaks with it. *Handled* is what asst does for this one only; it sends nothing that you did not set, except what
this column says.

"""
TABLE = "| profile | | API | address | key | handled |\n|---|---|---|---|---|---|\n"
API = {"chat-completions": "Chat Completions", "gpt": "Responses"}
REASONING = {
    "round": "",
    "calls": "reasoning goes back with all calls",
    "always": "all reasoning goes back",
}


def page() -> str:
    """The whole page."""
    return HEAD + TABLE + "".join(f"| {' | '.join(_row(name, vendor))} |\n" for name, vendor in VENDORS.items())


def _row(name: str, vendor: Vendor) -> Iterator[str]:
    info = vendor.info
    yield f"`{name}`"
    yield f"[{info.title}]({info.keys_url})" if info.keys_url else info.title
    yield API[vendor.protocol]
    yield "<br>".join(f"`{address}`" for address in (info.base_url, *info.more_base_urls))
    names = " or ".join(f"`{variable}`" for variable in reversed(info.key_variables))
    yield f"{names}, optional" if names and info.key_optional else names or "none"
    yield "; ".join(_handled(vendor))


def _handled(vendor: Vendor) -> Iterator[str]:
    info, quirks = vendor.info, vendor.quirks
    for place, variable in info.places.items():
        yield f"`{place}` is an option" + (f", or `{variable}`" if variable else "")
    if info.key_header:
        yield f"the key is in `{info.key_header}`"
    if quirks.alternate:
        yield "roles alternate, also after tools"
    if quirks.call_id:
        yield f"ids of calls have {quirks.call_id} letters"
    if quirks.output_limit:
        yield f"a limit is sent as `{quirks.output_limit}`"
    if not quirks.asks_for_usage:
        yield "no `stream_options`"
    if REASONING[quirks.reasoning]:
        yield REASONING[quirks.reasoning]
    for name, values in (quirks.only or {}).items():
        yield f"`{name}` {'is ' + ' or '.join(map(str, values)) if values else 'is left out'}"
    if not quirks.streams_tools:
        yield "with tools, in one reply"
    if not info.lists_models:
        yield "no list of models"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
