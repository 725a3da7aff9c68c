"""Notes on an answer for the person: what it cites, what the server's own tools are doing, what of it can't be shown.

One wording for every provider.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..core.events import Cited, Event, Notice, Source
from .fields import get_object, get_objects, get_text

__all__ = [
    "WAITING",
    "Progress",
    "cited",
    "describe_blocks",
    "describe_media",
    "unshown",
    "url_citations",
    "waits_for",
]

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
    "web_search": "Searching the web …",
    "web_fetch": "Reading a web page …",
    "code_execution": "Running code …",
    "bash_code_execution": "Running code …",
    "mcp_tool_use": "Calling an MCP tool …",
}
"""By the type of an item (OpenAI), of a step (Google) or of a block (Anthropic), or by the name of Anthropic's tool."""
NO_ANSWER = "The model ended its turn without an answer"
CITING = ("annotations", "citations", "search_results")
"""The fields that list sources."""
WAITING = "waiting"
"""The reason of a `MessageIncomplete`: the assistant waits for something that asst cannot give."""
BLOCKS = {"image": "an image", "document": "a document", "container_upload": "a file"}
MEDIA = {"image": "an image", "audio": "audio", "video": "a video", "text": "a text file"}


class Progress:
    """Notes on what the server's own tools are doing: each once in an answer."""

    def __init__(self) -> None:
        self._announced: set[str] = set()

    def notes(self, kind: str) -> Iterator[Event]:
        """A note, if an item of this type begins and its work was not noted yet."""
        words = DOING.get(kind, "")
        if words and words not in self._announced:
            self._announced.add(words)
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
    """The sources of a message or its parts: its `annotations`, in the form of any API; `citations` (Claude's blocks have them, and
    Perplexity's replies, as mere addresses); `search_results`.
    """
    for part in parts:
        listed = part.get("citations")
        yield from (Source(one) for one in (listed if isinstance(listed, list) else ()) if isinstance(one, str))
        for one in (one for name in CITING for one in get_objects(part, name)):
            citation = get_object(one, "url_citation") or one
            yield Source(get_text(citation, "url"), get_text(citation, "title"))


def describe_media(mime_type: str) -> str:
    """What a file of this type is, in words."""
    return MEDIA.get(mime_type.partition("/")[0].lower(), "a file")


def describe_blocks(kinds: Iterable[str], steps: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """What blocks of these types are, for `unshown`: content that can't be shown, and what came on the way to the answer.

    `steps` has words for types of the latter; text and calls are neither.
    """
    others = [kind for kind in kinds if kind not in ("text", "tool_use")]
    media = [BLOCKS[kind] for kind in others if kind in BLOCKS]
    return media, [steps.get(kind, f"a block of the type '{kind}'") for kind in others if kind not in BLOCKS]


def unshown(content: Iterable[str], steps: Iterable[str] = (), *, answered: bool) -> Iterator[Notice]:
    """A notice, if there is something to say. `content`: parts of the answer that can't be shown; `steps`: what came on the way
    to it, such as reasoning; both in words. `answered`: there is text, or a call.
    """
    media, before = _listed(content), _listed(steps)
    if answered:
        if media:
            yield Notice(f"The answer also contains {media}, which asst can't show.")
    elif media:
        yield Notice(f"The answer has no text. It contains {media}, which asst can't show.")
    elif before:
        yield Notice(f"{NO_ANSWER}. It sent only {before}.")
    else:
        yield Notice(f"{NO_ANSWER}.")


def waits_for(what: Iterable[str]) -> Notice:
    """The notice for an answer in which the assistant waits for somebody."""
    return Notice(f"The assistant waits for {_listed(what)}, which asst can't give.")


def _listed(words: Iterable[str]) -> str:
    *others, last = dict.fromkeys(words) or ("",)
    return f"{', '.join(others)} and {last}" if others else last
