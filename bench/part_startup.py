"""Commands that answer at once: how long a person waits for Python and imports."""

from __future__ import annotations

from process import Program, middle, run
from setting import Setting
from table import Group

__all__ = ["measure"]


def measure(setting: Setting) -> Group:
    """`--version`, `--help`, `sessions list`, and the shell's completion."""
    group, commands = Group(), setting.programs.commands
    place = setting.asst
    for prompt in setting.programs.llm().values():
        run(prompt)  # `llm logs list` fails before there is a log
    # The interpreter starts as the command does: from the environment in which it is installed.
    floor = {"python": Program([str(place.python), "-c", "pass"], place.env())}
    completing = place.env(_ASST_COMPLETE="complete_bash", COMP_WORDS="asst se", COMP_CWORD="1")
    ran = setting.interleave(
        floor
        | commands(
            version=("asst", "asst", "--version"),
            help=("asst", "asst", "--help"),
            list=("asst", "asst", "sessions", "list"),
            llm_version=("llm", "llm", "--version"),
            llm_help=("llm", "llm", "--help"),
            llm_list=("llm", "llm", "logs", "list"),
            sgpt_version=("sgpt", "sgpt", "--version"),
            clai_version=("clai", "clai", "--version"),
        )
        | {"completion": Program([place.command("asst")], completing)}
    )
    wall = {name: middle(runs, lambda one: one.wall) for name, runs in ran.items()}
    group.compare("`asst --version`", wall["version"], wall["python"], 1.5, rival="`python -c pass`")
    if "llm_help" in wall:
        group.compare("`asst --help`", wall["help"], wall["llm_help"], 0.25, rival="`llm --help`")
        group.compare("`asst sessions list`", wall["list"], wall["llm_list"], 0.2, rival="`llm logs list`")
    for name, rival in (("llm_version", "llm"), ("sgpt_version", "sgpt"), ("clai_version", "clai")):
        if name in wall:
            group.inform(f"`asst --version`, against `{rival}`", wall["version"], wall[name], rival)
    group.inform("the shell's completion of `asst se`", wall["completion"], wall["python"], "`python -c pass`")
    return group
