"""`asst chat`: from the key press to the prompt on the screen."""

from __future__ import annotations

from process import middle
from setting import Setting
from table import Group, milliseconds

__all__ = ["measure"]


def measure(setting: Setting) -> Group:
    """In a terminal that answers where its cursor is."""
    group = Group()
    wall = {
        name: middle(runs, lambda one: one.wall) for name, runs in setting.interleave(setting.programs.chats()).items()
    }
    if "clai" in wall:
        group.compare("`asst chat`: the prompt is on the screen", wall["asst"], wall["clai"], 0.3, rival="`clai`")
    else:
        group.tables["chat"] = f"`asst chat`: the prompt is on the screen after {milliseconds(wall['asst'])}."
    return group
