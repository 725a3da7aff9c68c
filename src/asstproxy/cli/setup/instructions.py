"""The instructions of a profile (a text, `@file`, or a preset) and its tools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...config.paths import expand_home, refuse_device
from ...config.template_file import SKILLS, without_front_matter
from ...core.errors import UsageError
from .prompts import ask_until, say, show_step

__all__ = ["PRESETS", "Preset", "ask_instructions", "checked_tools", "instructions_of", "preset"]


class Preset(NamedTuple):
    """Instructions and tools that go together."""

    about: str
    instructions: str
    tools: tuple[str, ...] = ()


PRESETS = {
    "brief": Preset("short answers", "Answer in one or two sentences. Say so when you do not know."),
    "stocks": Preset(
        "share prices, with tools",
        "You are an expert in the stock market. You help a private investor with questions about shares. Use the "
        "functions for prices and for advice instead of guessing, name the number that you were given, and answer "
        "briefly. Without a function that fits, say that you do not know.",
        ("stocks",),
    ),
}


def preset(name: str) -> Preset:
    """A preset by its name.

    Raises:
        UsageError: the preset doesn't exist.
    """
    if name not in PRESETS:
        raise UsageError(f'No such preset: "{name}".', f"Use one of: {', '.join(PRESETS)}.")
    return PRESETS[name]


def instructions_of(text: str) -> str:
    """The text, or that of a file if it starts with `@` (`@@` for a text that starts with `@` itself).

    The front matter of a `SKILL.md` is left out.

    Raises:
        UsageError: the file can't be read.
    """
    if text.startswith("@@"):
        return text[1:]
    if not text.startswith("@"):
        return text.strip()
    if not text[1:].strip():
        raise UsageError("The name of a file is missing after @.", "Write @file, or @@ for a text that begins with @.")
    path = refuse_device(expand_home(text[1:]))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"The instructions in {path} are not UTF-8 text.") from None
    except OSError as error:
        raise UsageError(f"Can't read the instructions in {path}: {error.strerror}.") from None
    return (without_front_matter(text) if path.name.upper() in SKILLS else text).strip()


def checked_tools(names: Sequence[str]) -> list[str]:
    """The tools as the profile has them. Each can be loaded; files are named by their absolute path.

    Raises:
        UsageError: a tool can't be found or described.
    """
    if not names:
        return []
    from ...tools.loading import find_tools

    find_tools(names)
    return list(dict.fromkeys(_absolute(name) for name in names))


def ask_instructions(saved: dict[str, Any], changes: dict[str, Any]) -> None:
    """Ask for instructions and tools, unless they are given. `saved` is the profile as the file has it."""
    if "instructions" not in changes:
        _ask_for_instructions(str(saved.get("instructions") or ""), changes)
    if "tools" not in changes:
        now = " ".join(saved.get("tools") or ())

        def use(typed: str) -> None:
            if typed == "-":
                changes["tools"] = None
            elif typed and typed != now:
                changes["tools"] = checked_tools(typed.replace(",", " ").split())

        say("Tools: stocks, package.module:function or ./file.py, separated by spaces; - for none.")
        ask_until("Tools", now, use)


def _ask_for_instructions(before: str, changes: dict[str, Any]) -> None:
    def use(typed: str) -> None:
        if typed in PRESETS:
            chosen = PRESETS[typed]
            changes["instructions"] = chosen.instructions
            if chosen.tools:
                changes["tools"] = checked_tools(chosen.tools)
        elif typed == "-":
            changes["instructions"] = None
        elif typed:
            changes["instructions"] = instructions_of(typed)

    show_step()
    presets = ", ".join(f"{name} ({one.about})" for name, one in PRESETS.items())
    say(f"Instructions: a text, @file, - for none, or a preset: {presets}.")
    if before:
        say(f"  now: {before.splitlines()[0][:80]}")
    ask_until("Instructions", "", use)


def _absolute(name: str) -> str:
    place, colon, function = name.rpartition(":")
    path = place if colon and place else name
    if path.endswith(".py"):
        whole = str(expand_home(path).resolve())
        return f"{whole}:{function}" if path != name else whole
    return name
