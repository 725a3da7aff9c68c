"""Who approves the tool calls of a chat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from ...core.events import Decision
    from ...tools import Approver, Question

__all__ = ["approver"]


def approver(console: Console, pause: Callable[[], AbstractContextManager[None]], *, asks: bool) -> Approver:
    """The person, or, unless it `asks`, nobody: every call runs. What draws the question is imported with the first one.

    `pause` takes from the screen meanwhile what is drawn there.
    """

    @cache
    def answering() -> Approver:
        from ...tools import approve_all
        from ..approval_prompt import ApprovalPrompt

        return ApprovalPrompt(console, pause) if asks else approve_all

    async def approve(questions: Sequence[Question]) -> Sequence[Decision]:
        return await answering()(questions)

    return approve
