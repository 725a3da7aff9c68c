"""What a provider brings to its tests: proxies, and a model whose replies are told beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from ..core.errors import Kind
from ..core.roles import AssistantProxy

__all__ = ["Bench", "Calls", "Failure", "Hang", "Reply", "Text"]


@dataclass(frozen=True)
class Text:
    """A plain answer; where it is streamed, in several pieces."""

    text: str


@dataclass(frozen=True)
class Calls:
    """The model asks for functions: the name and the arguments of each."""

    calls: tuple[tuple[str, dict[str, Any]], ...]


@dataclass(frozen=True)
class Failure:
    """The request fails before the first piece of an answer, in the provider's own way, so that it means this kind."""

    kind: Kind


@dataclass(frozen=True)
class Hang:
    """The model begins to answer, or does not even begin, and then says nothing more for ever."""

    text: str = ""


Reply = Text | Calls | Failure | Hang


class Bench(Protocol):
    """A provider in its test bench: usually a local server that speaks the provider's protocol."""

    secret: str
    """A key that the proxies hold and that may show up nowhere; empty if they need none."""

    def proxy(self) -> AssistantProxy:
        """Another proxy of the same model. It shares nothing with those before, as if another process had made it."""

    def answers(self, *replies: Reply) -> None:
        """From now on the model gives these replies, one for each request, and then the last one again and again."""

    def heard(self) -> str:
        """All that the model was given with its latest request, in its order: as text, not escaped."""
