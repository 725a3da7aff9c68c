"""`asst setup check`: asks each profile a real question, answered in one word, and then for a tool call."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from ...config.profiles import Profile, load_config
from ...core.codec import escape_controls
from ...core.errors import AsstError, NotSetUpError
from ..hints import hint_for
from ..standard_streams import write_json
from .keys import is_used, key_status
from .prompts import say, wait_for

__all__ = ["Checked", "check_profiles"]

QUESTION = "What is the capital of France? Answer with one word."
TOOL_QUESTION = "Call the function asst_check with the word 'ready' now."
Verdict = Literal["yes", "no", "-"]
HEADS = ("profile", "reachable", "key", "model", "streaming", "tools", "first chunk", "")


class Checked(msgspec.Struct):
    """The result for one profile. `-` stands for what is unknown."""

    profile: str
    provider: str
    model: str = ""
    reachable: Verdict = "-"
    key: str = "-"
    model_answers: Verdict = "-"
    streaming: Verdict = "-"
    tools: Verdict = "-"
    seconds_to_first_chunk: float | None = None
    problem: str = ""
    hint: str = ""

    @property
    def good(self) -> bool:
        """Whether it answers."""
        return self.model_answers == "yes"


def check_profiles(names: Sequence[str], timeout: float, *, as_json: bool) -> int:
    """Ask one after the other and print a table. The exit code is 1 if one doesn't answer.

    Raises:
        NotSetUpError: the profile doesn't exist, or none is set up.
    """
    config = load_config()
    profiles = [config.profile(name) for name in names or config.names if names or is_used(config, name)]
    if not profiles:
        raise NotSetUpError("No assistant is set up.", "Run: asst setup")
    results = []
    for profile in profiles:
        if sys.stderr.isatty():
            say(f"Asking {profile.name} …")
        checked = Checked(profile.name, profile.provider, profile.model, key=key_status(profile).place)
        wait_for(lambda profile=profile, checked=checked: _check(profile, checked, timeout))  # type: ignore[misc]
        results.append(checked)
    if as_json:
        rows = json.dumps([msgspec.to_builtins(one) for one in results], indent=2, ensure_ascii=False)
        write_json(escape_controls(rows.encode()) + b"\n")
    else:
        _print(results)
    return 0 if all(one.good for one in results) else 1


async def _check(profile: Profile, checked: Checked, within: float) -> None:
    from ...providers import connect

    # The questions must not enter the conversation that the profile keeps at its provider.
    own = {key: value for key, value in profile.options.items() if key not in ("history", "conversation")}
    try:
        assistant = connect(msgspec.structs.replace(profile, options=own))
    except AsstError as error:
        checked.problem, checked.hint = str(error), hint_for(error)
        return
    checked.model = profile.model or assistant.model
    try:
        if await _ask(assistant, profile, checked, within):
            await _ask_for_a_call(assistant, profile, checked, within)
    finally:
        with contextlib.suppress(AsstError):
            await assistant.aclose()


async def _ask(assistant: Any, profile: Profile, checked: Checked, within: float) -> bool:
    """Ask for one word, streamed; whether it came."""
    from ...core.events import ChunkReceived, ErrorOccurred, Record
    from ...core.script import State

    conversation = _conversation(assistant, profile)
    began, chunks = time.monotonic(), 0

    def see(record: Record) -> None:
        nonlocal chunks
        if isinstance(record.event, ChunkReceived):
            if not chunks:
                checked.seconds_to_first_chunk = round(time.monotonic() - began, 2)
            chunks += 1

    conversation.subscribe(see)
    last = await conversation.exchange(QUESTION, timeout=within)
    checked.reachable = "yes"
    if isinstance(last.event, ErrorOccurred):
        checked.problem, checked.hint = last.event.message, last.event.hint
        checked.reachable = "no" if last.event.kind in ("connection", "timeout") else "yes"
        if last.event.kind == "authentication":
            checked.key = "refused"
        elif last.event.kind != "connection":
            checked.model_answers = "no"
        return False
    if last.state not in (State.COMPLETED, State.INCOMPLETE):
        checked.problem, checked.hint = f"No answer within {within:.0f} s.", "Allow more: --timeout SECONDS"
        return False
    checked.model_answers, checked.streaming = "yes", "yes" if chunks else "no"
    return True


async def _ask_for_a_call(assistant: Any, profile: Profile, checked: Checked, within: float) -> None:
    """See whether a tool is called."""
    called: list[str] = []

    def asst_check(word: str) -> str:
        """Confirm that functions can be called."""
        called.append(word)
        return "ok"

    conversation = _conversation(assistant, profile, asst_check)
    await conversation.exchange(TOOL_QUESTION, timeout=within)
    checked.tools = "yes" if called else "no"


def _conversation(assistant: Any, profile: Profile, *functions: Any) -> Any:
    from ...core.conversation import Conversation
    from ...core.events import Configured
    from ...core.turn import Options
    from ...user import UserProxy

    configured = Configured(
        profile=profile.name, provider=profile.provider, model=profile.model, settings=profile.settings
    )
    return Conversation(assistant, UserProxy(functions), configured=configured, options=Options(max_tool_rounds=2))


def _print(results: Sequence[Checked]) -> None:
    from ...text.safe_text import clean, clean_line

    rows = [HEADS]
    for one in results:
        first = "-" if one.seconds_to_first_chunk is None else f"{one.seconds_to_first_chunk:.2f} s"
        model = f"{one.model or '-'}{'' if one.model_answers != 'no' else ' (no)'}"
        rows.append((one.profile, one.reachable, one.key, model, one.streaming, one.tools, first, ""))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(clean(line).rstrip() + "\n")
    for one in results:
        if one.problem:
            sys.stdout.write(clean_line(f"{one.profile}: {one.problem} {one.hint}") + "\n")
