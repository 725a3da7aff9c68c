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
    what = "`asst chat`: the prompt is on the screen"
    for rival, name, bar in (("clai", "`clai`", 0.2), ("llm", "`llm chat`", 0.6)):
        if rival in wall:
            group.compare(what, wall["asst"], wall[rival], bar, rival=name)
            what = ""
    if not group.rows:
        group.tables["chat"] = f"`asst chat`: the prompt is on the screen after {milliseconds(wall['asst'])}."
    return group
