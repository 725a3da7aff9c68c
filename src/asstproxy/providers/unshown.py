"""What a person is told of an answer that has more than text in it, or no text at all: one wording for every provider."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..core.events import Notice

__all__ = ["WAITING", "describe_blocks", "describe_media", "unshown", "waits_for"]

NO_ANSWER = "The model ended its turn without an answer"
WAITING = "waiting"
"""The reason of a `MessageIncomplete`: the assistant waits for something that asst cannot give."""
BLOCKS = {"image": "an image", "document": "a document", "container_upload": "a file"}
MEDIA = {"image": "an image", "audio": "audio", "video": "a video", "text": "a text file"}


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
