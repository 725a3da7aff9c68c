"""How large an installation is, and what each command imports."""

from __future__ import annotations

import subprocess
from pathlib import Path
from statistics import median

from process import Program, run
from setting import Setting
from table import Group, markdown_table

__all__ = ["measure"]

INSTALLERS = ("pip", "setuptools", "_distutils_hack", "pkg_resources", "distutils-precedence")
MAIN = "from asstproxy.__main__ import main; main()"
COMMANDS = (  # all but `chat`, which needs a terminal
    "--version",
    "--help",
    "script",
    "setup list",
    "sessions list",
    "sessions search many",
    "tools list",
    "doctor --offline",
    "ask -p gpt many?",
    "ask -p gpt --json many?",
    "replay --check",
)


def measure(setting: Setting) -> Group:
    """Folders with bytecode, without the installers; modules and milliseconds by `-X importtime`."""
    group = Group()
    places = setting.programs.places
    if "llm" in places:
        sizes = {}
        for name in ("asst", "llm"):
            site = places[name].site()
            sizes[name] = sum(
                _size(entry) for entry in site.iterdir() if not entry.name.startswith((*INSTALLERS, "openai"))
            )
        figures = " · ".join(f"{name} {size / 1e6:.1f} MB" for name, size in sizes.items())
        what = "size of the installation, without the `openai` SDK"
        group.compare(what, sizes["asst"], sizes["llm"], 1.0, figures=figures, rival="llm")
    env = {"OPENAI_BASE_URL": setting.stub.url("w200")}
    setting.interleave(setting.programs.asst())  # so that there is a session
    rows = []
    for command in (*COMMANDS, "chat -p gpt"):
        tty = command.startswith("chat")
        told = [_imports(setting, command.split(), env, tty=tty) for _ in range(setting.scale.runs)]
        rows.append((f"`asst {command}`", f"{told[0][0]}", f"{median(ms for _, ms in told):.0f}"))
    group.tables["Imports by `-X importtime` (which itself slows them down)"] = markdown_table(
        ("command", "modules", "ms in all"), rows
    )
    return group


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size


def _imports(setting: Setting, arguments: list[str], env: dict[str, str], *, tty: bool) -> tuple[int, float]:
    place = setting.asst
    argv = [str(place.python), "-X", "importtime", "-c", MAIN, *arguments]
    if tty:
        told = run(Program(argv, place.env(**env), tty=True, until="›")).out.decode(errors="replace")
    else:
        told = subprocess.run(
            argv, env=place.env(**env), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        ).stderr
    if "Traceback" in told:
        raise RuntimeError(told)
    own = [line.split("import time:")[-1].split("|") for line in told.splitlines() if "import time:" in line]
    times = [int(fields[0]) for fields in own if fields[0].strip().isdigit()]
    return len(times), sum(times) / 1000
