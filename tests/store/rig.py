"""What the tests of the session store share: sessions that were held for real, and the command `asst` as a process."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from asstproxy.core.conversation import Conversation
from asstproxy.core.events import ActionRequired, Configured, ToolCall
from asstproxy.providers.scripted import Part, ScriptedProvider, say
from asstproxy.store.session import Session
from asstproxy.store.store import Store
from asstproxy.user import UserProxy
from forked import asst_command

from .upper import upper

__all__ = ["ASST", "UPPER", "asst", "held", "hold", "lines", "start", "tool_exchange", "upper"]

UPPER = f"{Path(__file__).with_name('upper.py')}:upper"
"""The tool `upper`, as `-t` takes it."""
ASST = [asst_command.ASST]


def tool_exchange(text: str = "abc") -> list[list[Part]]:
    """Two replies: a tool call, and an answer."""
    return [
        [ActionRequired((ToolCall("c0", "upper", f'{{"text": "{text}"}}'),))],
        say(f"It is {text.upper()}.", pieces=3),
    ]


def held(
    messages: Sequence[str], *replies: Iterable[Part], session: Session | None = None, **configured: Any
) -> Session:
    """A session in which these messages were answered by these replies; closed."""
    return asyncio.run(hold(messages, *replies, session=session, **configured))


async def hold(
    messages: Sequence[str], *replies: Iterable[Part], session: Session | None = None, **configured: Any
) -> Session:
    """The same, within a running loop."""
    session = session or Store().create()
    user = UserProxy([upper])
    for tool in user.tools:
        user.tools[tool] = _never_asks(user.tools[tool])
    conversation = Conversation(
        ScriptedProvider(*replies),
        user,
        configured=Configured(**({"profile": "p", "provider": "scripted", "model": "m"} | configured)),
        past=session.past,
    )
    conversation.subscribe(session, essential=True)
    try:
        for message in messages:
            await conversation.exchange(message)
    finally:
        session.close()
    return session


def _never_asks(tool: Any) -> Any:
    from dataclasses import replace

    return replace(tool, approval="never")


def asst(
    *arguments: str, stdin: str | None = None, timeout: float = 60, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return asst_command.run(
        [*ASST, *arguments],
        input=stdin,
        stdin=None if stdin is not None else subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={**os.environ, **env},
    )


def start(*arguments: str, **env: str) -> subprocess.Popen[str]:
    """Start the command."""
    return asst_command.start(
        [*ASST, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )


def lines(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Change the lines of a journal, as an accident or another tool would."""
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))
