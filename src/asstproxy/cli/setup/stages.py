"""The wizard's stages, one after the other; Esc leads back to the last one that asked something, which is drawn in its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import prompts
from .line_prompt import GoBack
from .profile_draft import ProfileDraft

__all__ = ["run_stages"]


def run_stages(draft: ProfileDraft, stages: Sequence[Callable[[], object]], *, has_before: bool) -> None:
    """Carry them out. What a stage has put into the draft is taken back with it. `has_before`: Esc in the first one is raised.

    Raises:
        GoBack: the person wants what came before the first stage.
    """
    asked: list[tuple[int, dict[str, Any], dict[str, Any], int]] = []
    number = 0
    while number < len(stages):
        changes, key, before = dict(draft.changes), _values(draft.key), prompts.asked()
        rows = prompts.rows_printed()
        try:
            with prompts.going_back(allowed=has_before or bool(asked) or number > 0):
                stages[number]()
        except GoBack:
            is_first = False
            if prompts.asked() - before <= 1:  # nothing was asked in it before: so the stage before is meant
                if asked:
                    number, changes, key, rows = asked.pop()
                elif has_before:
                    raise
                else:
                    is_first = True
            prompts.erase_to(rows)
            if is_first:
                prompts.say("This is the first question. Ctrl-C leaves and saves nothing.")
            draft.changes.clear()
            draft.changes.update(changes)
            for name, value in key.items():
                setattr(draft.key, name, value)
            continue
        if prompts.asked() > before:
            asked.append((number, changes, key, rows))
        number += 1


def _values(key: Any) -> dict[str, Any]:
    return {name: getattr(key, name) for name in key.__dataclass_fields__}
