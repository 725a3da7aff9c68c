"""`asst ask`: 200 tokens at no delay, from the key press to the shell's next prompt."""

from __future__ import annotations

from statistics import median

from process import Program, Ran, middle, run
from setting import Setting
from table import Group, Row

__all__ = ["measure"]

PACE, TOKENS = 50, 10
SAME = 1.05
"""No more than: what two medians of the same program differ by."""


def measure(setting: Setting) -> Group:
    """Into a pipe, as JSON, in a terminal; and the first byte."""
    group, programs = Group(), setting.programs
    contestants = {
        **programs.asst(),
        **programs.asst_over_chat(),
        "json": programs.asst("--json")["asst"],
        "terminal": programs.asst(tty=True)["asst"],
        **programs.llm(),
        **programs.raw("raw_openai"),
        **programs.raw("raw_httpx2"),
        **programs.shell_gpt(),
        **programs.clai(),
    }
    ran = setting.interleave(contestants)
    wall = {name: middle(runs, lambda one: one.wall) for name, runs in ran.items()}
    for name, what, rival, bar in (
        ("asst", "`asst ask`, 200 tokens into a pipe", "llm", 0.35),
        ("asst", "", "raw_openai", 0.22),
        ("asst", "", "raw_httpx2", 2.0),
        ("json", "the same with `--json`", "llm", 0.37),
        ("terminal", "the same in a terminal, Markdown drawn", "llm", 0.5),
    ):
        if rival in wall:
            group.compare(what, wall[name], wall[rival], bar, rival=TITLES[rival])
    cpu = {name: middle(ran[name], lambda one: one.cpu) for name in ("asst", "asst_chat")}
    what = "`asst ask` on `chat-completions`, CPU"
    group.compare(what, cpu["asst_chat"], cpu["asst"], SAME, rival="on `gpt`")
    for rival in ("sgpt", "clai"):
        if rival in wall:
            group.inform(f"`asst ask`, against {TITLES[rival]}", wall["asst"], wall[rival], TITLES[rival])
    if "llm" in ran:
        ours, theirs = (middle(ran[name], lambda one: one.rss) for name in ("asst", "llm"))
        figures = f"asst {ours:.0f} MiB · llm {theirs:.0f} MiB"
        group.compare("peak memory of `asst ask`", ours, theirs, 0.75, figures=figures, rival="llm")
    _first_byte(setting, group)
    return group


TITLES = {
    "llm": "`llm`, Chat Completions",
    "raw_openai": "raw `openai` SDK, Responses",
    "raw_httpx2": "raw httpx2 script",
    "sgpt": "`sgpt --no-md`",
    "clai": "`clai`, Chat Completions",
}


def _first_byte(setting: Setting, group: Group) -> None:
    """A server takes its time between two tokens; the first one must not wait for the second."""
    answer = f"w{TOKENS}"
    contestants = {
        **setting.programs.asst(answer=answer, rate=PACE),
        **setting.programs.raw("raw_httpx2", answer, PACE),
    }
    lags: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(setting.scale.runs):
        for name, program in contestants.items():
            lags[name].append(_lag(setting, program))
    lag = {name: 1000 * median(values) for name, values in lags.items()}
    more = lag["asst"] - lag.get("raw_httpx2", 0.0)
    figures = " · ".join(f"{TITLES.get(name, name)} {value:.1f} ms" for name, value in lag.items())
    group.rows.append(Row("first byte on stdout after the server's first token", figures, more, 20.0, "≤", " ms more"))


def _lag(setting: Setting, program: Program) -> float:
    ran: Ran = run(program)
    return ran.began / 1e9 + ran.first - setting.stub.last()["first"] / 1e9
