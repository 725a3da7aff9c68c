"""What the model says: a small vocabulary that every protocol speaks, and scripts made of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .wire import Json


class Output:
    """Something the model does; a turn is a sequence of these."""


@dataclass(frozen=True)
class Say(Output):
    """A piece of the answer, streamed in `pieces` (words, if not given), `pace` seconds apart."""

    text: str
    pieces: Sequence[str] | None = None
    pace: float = 0.0
    phase: Literal["commentary", "final_answer"] | None = None

    def parts(self) -> Sequence[str]:
        """The deltas; together they are the text."""
        return words(self.text) if self.pieces is None else self.pieces

    def __post_init__(self) -> None:
        if self.pieces is not None and "".join(self.pieces) != self.text:
            msg = "pieces do not add up to text"
            raise ValueError(msg)


@dataclass(frozen=True)
class Think(Output):
    """Reasoning: a summary to read, and an opaque blob that must come back unchanged (made up, if not given)."""

    summary: str = ""
    encrypted: str | None = None
    pace: float = 0.0


@dataclass(frozen=True)
class Call(Output):
    """A function call; a string of arguments is sent as it is, broken JSON included (OpenAI only)."""

    name: str
    arguments: Json | str = field(default_factory=dict)
    call_id: str | None = None
    pace: float = 0.0

    @property
    def arguments_json(self) -> str:
        """The arguments as a string of JSON."""
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments, ensure_ascii=False)

    @property
    def arguments_dict(self) -> Json:
        """The arguments as an object."""
        value: Json = json.loads(self.arguments) if isinstance(self.arguments, str) else self.arguments
        return value


@dataclass(frozen=True)
class Refuse(Output):
    """The model declines; where a protocol has no refusal, it is text."""

    text: str = "I'm sorry, I can't help with that."


@dataclass(frozen=True)
class Fail(Output):
    """The run fails here."""

    code: str = "server_error"
    message: str = "The model had an error."


@dataclass(frozen=True)
class Incomplete(Output):
    """The answer stops here: `max_output_tokens`, `content_filter`, or a vendor's own reason as it is."""

    reason: str = "max_output_tokens"


@dataclass(frozen=True)
class Block(Output):
    """The prompt is refused before anything is said (Gemini's blockReason)."""

    reason: str = "SAFETY"


@dataclass(frozen=True)
class Wait(Output):
    """Silence, in seconds."""

    seconds: float


Brain = Callable[[Json], Iterable[Output]]
"""Called with the JSON of a request, in the server's thread."""


class Script:
    """A brain that plays turns in order, one per run of the model, and complains when there is none left."""

    def __init__(self, *turns: Iterable[Output]) -> None:
        self._left = [list(turn) for turn in turns]

    @property
    def unused(self) -> int:
        """How many turns were not played."""
        return len(self._left)

    def __call__(self, request: Json) -> list[Output]:
        if not self._left:
            msg = "the script has no turn left for this request"
            raise LookupError(msg)
        return self._left.pop(0)


def as_brain(brain: Brain | Sequence[Iterable[Output]] | None) -> Brain:
    """A brain, a list of turns, or the echo."""
    if brain is None:
        return echo
    return brain if callable(brain) else Script(*brain)


def echo(request: Json) -> list[Output]:
    """The default brain repeats what the user said."""
    return [Say(f"You said: {last_text(request)}")]


def last_text(request: Json) -> str:
    """The last text in a request of any of the protocols."""
    for key in ("input", "messages", "contents"):
        if key in request:
            return _last_string(request[key]) or ""
    return ""


def _last_string(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return next((text for item in reversed(value) if (text := _last_string(item)) is not None), None)
    if isinstance(value, dict):
        keys = ("text", "content", "parts", "output", "result", "functionResponse", "response")
        return next((text for key in keys if (text := _last_string(value.get(key))) is not None), None)
    return None


def words(text: str) -> list[str]:
    """Words with the white space that follows them: joined, they are the text again."""
    return re.findall(r"\s+\S*|\S+", text) or [text]


def tokens(value: Any) -> int:
    """A plausible number of tokens."""
    text = value if isinstance(value, str) else json.dumps(value)
    return max(1, len(text) // 4)
