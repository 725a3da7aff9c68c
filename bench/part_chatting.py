"""`asst chat`: from the key press to the prompt on the screen, and the memory of a long conversation."""

from __future__ import annotations

from process import Program, middle, run
from setting import Setting
from table import Group, Row, milliseconds

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
    _long_conversation(setting, group)
    return group


def _long_conversation(setting: Setting, group: Group) -> None:
    """What it takes to continue one; its answers are a kilobyte long."""
    turns = setting.scale.exchanges * 5 // 2
    run(setting.inside("exchanges", str(turns)))
    chat = setting.programs.chats()["asst"]
    ran = run(Program([*chat.argv, "-c"], chat.env, tty=True, until=chat.until))
    megabytes, what = ran.rss * 1.048576, f"`asst chat -c`, {turns:,} turns: peak memory at the prompt"
    group.rows.append(Row(what, f"after {milliseconds(ran.wall)}", megabytes, 60.0, "≤", " MB"))
