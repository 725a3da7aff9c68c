"""Commands on stores that grow; `sessions.py` measures the one of 100,000 sessions in depth."""

from __future__ import annotations

from process import Program, middle, run
from setting import Setting
from table import Group, markdown_table, milliseconds

__all__ = ["measure"]

COMMANDS = {
    "sessions list": ["sessions", "list"],
    "sessions search": ["sessions", "search", "bacodi"],
    "ask -c": ["ask", "-p", "gpt", "-c", "Go on."],
}


def measure(setting: Setting) -> Group:
    """List, search with a warm index, and the newest session going on."""
    group = Group()
    place = setting.asst
    for count in setting.scale.stores:
        folder = setting.folder / f"store-{count}"
        env = place.env(
            ASST_DATA_DIR=f"{folder}/data", ASST_CACHE_DIR=f"{folder}/cache", OPENAI_BASE_URL=setting.stub.url("w10")
        )
        if not folder.exists():
            run(setting.inside("stores", f"{folder}/data/sessions", str(count)))
        asst = place.command("asst")
        ran = setting.interleave({name: Program([asst, *command], env) for name, command in COMMANDS.items()})
        for name, runs in ran.items():
            wall = middle(runs, lambda one: one.wall)
            group.curves.setdefault(name, []).append([float(count), 1000 * wall])
    rows = [
        (f"{count:,}", *(milliseconds(group.curves[name][number][1] / 1000) for name in COMMANDS))
        for number, count in enumerate(setting.scale.stores)
    ]
    heads = ("sessions kept", "`sessions list`", "`sessions search`", "`ask -c`, 10 tokens")
    group.tables["The store, whole commands"] = markdown_table(heads, rows)
    return group
