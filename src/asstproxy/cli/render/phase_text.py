"""What an exchange is doing at the moment, in words for a person: `Waiting for gpt`, `Running 2 tools, 1 done`.

No Rich here: the line on stderr uses it, too.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...core.script import State
from ...text.figures import count_of, duration

__all__ = ["LOADED", "LOADING", "Phase"]

LOADING, LOADED = "loading", "loaded"
"""The statuses of a local model, see `providers.local`."""
_LONG = 10.0
"""Seconds of silence after which the words change: something may be wrong."""
_SENDING = 1.0
"""Seconds for which results are being sent; after that we wait for what comes back."""


@dataclass(frozen=True, slots=True)
class Phase:
    """The present state, and what is known besides. `seconds`: since it was entered, or since the latest sign of life.

    `status` is the provider's word; `calls` and `done` count the tools of this round.
    """

    state: State
    name: str
    model: str = ""
    status: str = ""
    seconds: float = 0.0
    thinking: bool = False
    calls: int = 0
    done: int = 0

    @property
    def words(self) -> str:
        """The words; empty where there is nothing to add to the state."""
        match self.state:
            case State.STREAMING:
                return "Writing the answer"
            case State.AWAITING_APPROVAL:
                return "Waiting for your answer"
            case State.REQUIRES_ACTION:
                done = f", {self.done} done" if self.calls > 1 and self.done else ""
                return f"Running {count_of(self.calls, 'tool')}{done}"
            case State.TOOLS_EXECUTED:
                return "Sending the results back"
            case State.TOOL_OUTPUTS_SUBMITTED if self.seconds < _SENDING:
                return "Sending the results back"
            case State.READY | State.STARTED | State.RUNNING | State.TOOL_OUTPUTS_SUBMITTED:
                return self._waiting
            case _:
                return ""

    @property
    def _waiting(self) -> str:
        if self.status == LOADING:
            return f"Loading {self.model or self.name} · {duration(self.seconds)} (once per chat)"
        if self.thinking:
            return f"{self.name} is thinking"
        if self.status == LOADED:
            return "Reading your message"
        if self.status:
            return f"Waiting for {self.name} ({self.status})"
        if self.seconds >= _LONG:
            return f"Still waiting for {self.name} ({self.seconds:.0f} s)"
        return f"Waiting for {self.name}"
