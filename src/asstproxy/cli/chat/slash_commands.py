"""What can be typed in the chat besides messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from ...config.profiles import Profile, load_config
from ...core.errors import UsageError
from ...providers import connect
from ..conversation_setup import ConversationOptions, configure

if TYPE_CHECKING:
    from .chat import Chat

__all__ = ["COMMANDS", "SlashCompleter", "run_command"]

Command = Callable[[Any, str], Awaitable[None]]
"""Takes the `Chat` and what stands after the command's name."""


async def _help(chat: Chat, _: str) -> None:
    for name, (_command, words) in COMMANDS.items():
        chat.say(f"/{name:<9} {words}")
    chat.say("Enter sends, Esc Enter makes a new line; Ctrl-C stops an answer, Ctrl-D leaves.")


async def _quit(chat: Chat, _: str) -> None:
    chat.leaving = True


async def _profile(chat: Chat, name: str) -> None:
    config = load_config()
    if not name:
        chat.say(f"{chat.opened.who}   (profiles: {', '.join(config.names)})")
        return
    await _switch(chat, config.profile(name), ConversationOptions())
    chat.say(chat.opened.who)


async def _model(chat: Chat, model: str) -> None:
    if model:
        await _switch(chat, chat.opened.profile, ConversationOptions(model=model))
    chat.say(chat.opened.who)


async def _switch(chat: Chat, profile: Profile, wanted: ConversationOptions) -> None:
    """Let another assistant go on; the one before goes only when the new one is there."""
    conversation = chat.opened.conversation
    before = conversation.configured
    configured = configure(profile, wanted, before, before.tools)
    assistant = connect(msgspec.structs.replace(profile, model=configured.model))
    await conversation.assistant.aclose()
    conversation.configure(configured, assistant)
    chat.opened.profile = profile


async def _system(chat: Chat, instructions: str) -> None:
    conversation = chat.opened.conversation
    if instructions:
        conversation.configure(msgspec.structs.replace(conversation.configured, instructions=instructions))
    chat.say(chat.opened.conversation.configured.instructions or "There are no instructions.")


async def _tools(chat: Chat, _: str) -> None:
    tools = chat.opened.user.tools
    for tool in tools.values():
        chat.say(f"{tool.name}   {tool.description}")
    if not tools:
        chat.say("There are no tools; -t package.module:function offers some.")


async def _session(chat: Chat, _: str) -> None:
    session = chat.opened.session
    chat.say(f"{session.id}   {session.path}" if session else "Nothing is kept (--no-save).")


async def _events(chat: Chat, _: str) -> None:
    chat.show_events = not chat.show_events
    chat.say(f"Every step is {'printed as a JSON line, too' if chat.show_events else 'drawn, not printed'}.")


async def _save(chat: Chat, name: str) -> None:
    from ...config.paths import create_private
    from ...store.transcript_file import to_json

    if not name:
        raise UsageError("/save needs a file name.", "For example: /save talk.json")
    path = Path(name).expanduser()
    if path.exists():
        raise UsageError(f"{path} is there already.", "Choose another name.")
    create_private(path).write_bytes(to_json(chat.transcript))
    chat.say(f"Saved: {path}")


async def _retry(chat: Chat, _: str) -> None:
    if not chat.last_message:
        raise UsageError("There is no message to send again.")
    if not chat.transcript.exchanges[-1].withdrawn:  # /undo has done it already
        _cut_last(chat)
    await chat.exchange(chat.last_message)


async def _undo(chat: Chat, _: str) -> None:
    _cut_last(chat)
    chat.say("The assistant forgets the last exchange; the journal keeps it.")


async def _clear(chat: Chat, _: str) -> None:
    chat.opened.conversation.cut_history(0)
    chat.console.clear()
    chat.say("The assistant forgets everything so far; the journal keeps it.")


def _cut_last(chat: Chat) -> None:
    conversation = chat.opened.conversation
    if not conversation.history.exchanges:
        raise UsageError("There is no exchange yet.")
    conversation.cut_history(len(conversation.history.exchanges) - 1)


COMMANDS: dict[str, tuple[Command, str]] = {
    "help": (_help, "this list"),
    "quit": (_quit, "leave; the session is kept"),
    "profile": (_profile, "who answers; /profile NAME lets another one go on"),
    "model": (_model, "which model; /model NAME changes it"),
    "system": (_system, "the instructions; /system TEXT changes them"),
    "tools": (_tools, "the functions that the assistant may call"),
    "session": (_session, "the session's id and file"),
    "events": (_events, "print every step as a JSON line, or stop that"),
    "save": (_save, "/save FILE writes the transcript"),
    "retry": (_retry, "send the last message again"),
    "undo": (_undo, "let the assistant forget the last exchange"),
    "clear": (_clear, "let the assistant forget everything, and clear the screen"),
}


async def run_command(chat: Chat, line: str) -> None:
    """Carry out `/name argument`.

    Raises:
        UsageError: there is no such command, or it cannot be done now.
    """
    name, _, argument = line.removeprefix("/").partition(" ")
    if name not in COMMANDS:
        raise UsageError(f"There is no command /{name}.", "/help lists them.")
    await COMMANDS[name][0](chat, argument.strip())


class SlashCompleter(Completer):
    """Completes the names of commands, and of profiles."""

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002
        """What may follow the text before the cursor."""
        text = document.text_before_cursor
        if text.startswith("/profile "):
            typed = text.removeprefix("/profile ")
            names = load_config().names
        elif text.startswith("/") and " " not in text:
            typed, names = text[1:], list(COMMANDS)
        else:
            return
        for name in names:
            if name.startswith(typed):
                yield Completion(name, -len(typed), display_meta=COMMANDS[name][1] if name in COMMANDS else "")
