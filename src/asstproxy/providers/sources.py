"""What an answer cites, and what the server's own tools are doing, as notes: one wording for every provider."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..core.events import Cited, Event, Notice, Source
from .fields import get_object, get_objects, get_text

__all__ = ["Progress", "cited", "url_citations"]

DOING = {
    "web_search_call": "Searching the web …",
    "google_search_call": "Searching the web …",
    "url_context_call": "Reading a web page …",
    "file_search_call": "Searching files …",
    "code_interpreter_call": "Running code …",
    "code_execution_call": "Running code …",
    "image_generation_call": "Making an image …",
    "mcp_call": "Calling an MCP tool …",
    "mcp_server_tool_call": "Calling an MCP tool …",
}
"""By the type of an item (OpenAI) or of a step (Google)."""


class Progress:
    """Notes on what the server's own tools are doing: each once in an answer."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def notes(self, kind: str) -> Iterator[Event]:
        """A note, if an item of this type begins and its work was not noted yet."""
        words = DOING.get(kind, "")
        if words and words not in self._told:
            self._told.add(words)
            yield Notice(words)


def cited(sources: Iterable[Source]) -> Iterator[Event]:
    """The note on these sources, each once; none if there are none."""
    by_url: dict[str, Source] = {}
    for source in sources:
        if source.url and not by_url.get(source.url, Source("")).title:
            by_url[source.url] = source
    if by_url:
        yield Cited(tuple(by_url.values()))


def url_citations(parts: Iterable[Mapping[str, Any]]) -> Iterator[Source]:
    """The sources in the `annotations` of parts of a message: as in Responses and Interactions, or as in Chat Completions."""
    for part in parts:
        for annotation in get_objects(part, "annotations"):
            told = get_object(annotation, "url_citation") or annotation
            yield Source(get_text(told, "url"), get_text(told, "title"))
