"""Tool calls: what the assistant asked for, the status of each call, and the System line that shows it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from ...core.events import (
    ActionRequired,
    ApprovalGiven,
    ApprovalRequested,
    Record,
    ToolCall,
    ToolFinished,
    ToolResult,
    ToolsExecuted,
    ToolStarted,
)
from ...text.call_text import approval_words, call_line, output_line, refusal_words
from ...text.figures import duration, seconds_between
from .theme import is_plain
from .truncate import truncate

__all__ = ["CallLine", "ToolCalls"]

_LONG = 2_000
"""Characters of arguments or output that are read for a line."""


_IN_WORDS = {
    "waiting": "waiting",
    "running": "running",
    "done": "returned",
    "failed": "failed:",
    "denied": "not run:",
    "abandoned": "timed out",
    "stopped": "stopped",
    "not run": "not run:",
}
"""The marks in words."""


@dataclass(frozen=True, slots=True)
class CallLine:
    """One call as one System line. `seconds`: how long it took, or has been running; `who`: who approved it, in words.

    `detail`: its output or error; of a call that was refused, who refused it and why.
    """

    name: str
    arguments: str
    status: str = "waiting"  # running, done, failed, denied, abandoned, stopped, not run
    detail: str = ""
    seconds: float | None = None
    began: str = ""
    who: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        mark, style = {
            "waiting": ("… waiting", "dim"),
            "running": ("… running", "asst.state.requires_action"),
            "done": ("→", "asst.good"),
            "failed": ("✗", "asst.bad"),
            "denied": ("–", "asst.notice"),
            "abandoned": ("✗ timed out", "asst.bad"),
            "stopped": ("✗ stopped", "asst.warning"),
            "not run": ("– not run:" if self.detail else "– not run", "asst.notice"),
        }[self.status]
        detail = output_line(self.detail[:_LONG])
        label = "System: " if is_plain(console) else "System ▸ "
        if is_plain(console):
            mark = _IN_WORDS[self.status]
        time = "" if self.seconds is None else f" · {duration(self.seconds)}"
        if self.status == "abandoned":  # how long it ran says why
            after = "" if self.seconds is None else f"after {duration(self.seconds)}"
            detail, time = f"{after}; it may still be running".removeprefix("; "), ""
        time += f" · {self.who}" if self.who else ""
        room = max(8, options.max_width - cell_len(f"{label} {mark}{time}") - bool(detail))
        shown = f"{call_line(self.name[:_LONG])}({_arguments(self.arguments)})"
        # The call gets the columns that the output leaves, and at least half of them.
        shown = truncate(shown, max(room - cell_len(detail), room // 2), ")")
        yield Text.assemble(
            (label[:6], "asst.system"), (label[6:], "dim"), shown, " ", (mark, style), " " if detail else "",
            truncate(detail, max(room - cell_len(shown), 0)), (time, "dim"),
            no_wrap=True, overflow="ellipsis",
        )  # fmt: skip


class ToolCalls:
    """Folds the records of one round of calls, in the order of the assistant. `approvals`: say who approved each."""

    def __init__(self, *, approvals: bool = False) -> None:
        self._approvals = approvals
        self._calls: dict[str, CallLine] = {}
        self._edited: set[str] = set()  # those that ran with other arguments than the assistant's

    @property
    def ended(self) -> int:
        """How many of the calls have ended."""
        return sum(call.status not in ("waiting", "running") for call in self._calls.values())

    def __len__(self) -> int:
        return len(self._calls)

    def fold(self, record: Record) -> None:
        """Fold the next record."""
        match record.event:
            case ActionRequired(calls=calls) | ApprovalRequested(calls=calls):
                self._ask(calls)
            case ApprovalGiven(decisions=decisions):
                for decision in decisions:
                    if not decision.approved:
                        words = refusal_words(decision.by, decision.reason)
                        self._change(decision.call_id, status="denied", detail=words)
            case ToolStarted(call_id=call_id, name=name, arguments=arguments, approved_by=by):
                who = approval_words(by) if self._approvals else ""
                if call_id in self._calls and self._calls[call_id].arguments != arguments:
                    self._edited.add(call_id)
                self._calls[call_id] = CallLine(name, arguments, "running", began=record.at, who=who)
            case ToolFinished(result=result) if self._calls.get(result.call_id, _NONE).status == "denied":
                pass  # the result repeats the refusal, for the assistant
            case ToolFinished(result=result, seconds=seconds, abandoned=abandoned):
                self._change(result.call_id, seconds=seconds)
                self._result(result, "abandoned" if abandoned else "done")
            case ToolsExecuted(results=results):
                for result in results:
                    if self._calls.get(result.call_id, _NONE).status in ("waiting", "running"):
                        self._result(result, "done")
            case _:
                pass

    def _ask(self, calls: Iterable[ToolCall]) -> None:
        for call in calls:
            self._calls.setdefault(call.call_id, CallLine(call.name, call.arguments))

    def _result(self, result: ToolResult, status: str) -> None:
        if result.error is not None and status == "done":
            status = "failed"
        detail = result.output if result.error is None else result.error
        if result.call_id in self._edited:
            from ...tools.edit_note import without_edit_note  # late: few calls are edited

            detail = without_edit_note(detail, self._calls[result.call_id].arguments)
        self._change(result.call_id, status=status, detail=detail)

    def _change(
        self, call_id: str, status: str | None = None, detail: str | None = None, seconds: float | None = None
    ) -> None:
        call = self._calls.get(call_id, CallLine("?", ""))
        self._calls[call_id] = replace(
            call,
            status=call.status if status is None else status,
            detail=call.detail if detail is None else detail,
            seconds=call.seconds if seconds is None else seconds,
        )

    def lines(self, at: str, since: float) -> list[CallLine]:
        """The calls as they are `since` seconds after the record of the time `at`."""
        return [
            replace(call, seconds=seconds_between(call.began, at) + since) if call.status == "running" else call
            for call in self._calls.values()
        ]

    def close(self, at: str, why: str = "") -> list[CallLine]:
        """The calls as they stay on the screen; those that have not ended were stopped, or did not run (`why`).

        Then the list is empty.
        """
        lines = [_ended(call, why) for call in self.lines(at, 0.0)]
        self._calls.clear()
        return lines


_NONE = CallLine("", "", "done")


def _ended(call: CallLine, why: str) -> CallLine:
    if call.status == "waiting":
        return replace(call, status="not run", detail=why)
    return replace(call, status="stopped") if call.status == "running" else call


def _arguments(text: str) -> str:
    """`symbol="AAPL", days=3`; text that is not a JSON object is shown as it is."""
    if len(text) <= _LONG:
        try:
            values = json.loads(text or "{}")
        except (ValueError, RecursionError):
            values = None
        if isinstance(values, dict):
            text = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in values.items())
    return call_line(text[:_LONG])
