"""The commands of the chat that begin with a slash."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

import msgspec
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from rich.console import Console

from ...config.profiles import Profile, load_config
from ...core.errors import UsageError
from ...providers import connect
from ...store.transcript import Transcript
from ..conversation_setup import OpenConversation, configure
from ..options import ConversationOptions

__all__ = ["COMMANDS", "ChatCommands", "SlashCompleter", "run_command"]


class ChatCommands(Protocol):
    """What a command may see and do of the chat."""

    opened: OpenConversation
    console: Console
    leaving: bool
    """Set it to end the chat."""
    show_events: bool
    """Whether every step is printed as JSON, too."""
    last_message: str

    @property
    def transcript(self) -> Transcript:
        """The session so far."""

    def say(self, line: str) -> None:
        """Print one line that is not part of the conversation."""

    async def exchange(self, text: str) -> None:
        """Hold one exchange."""


Command = Callable[[ChatCommands, str], Awaitable[None]]
"""Takes the chat, and the text after the command's name."""


async def _help(chat: ChatCommands, _: str) -> None:
    for name, (_command, words) in COMMANDS.items():
        chat.say(f"/{name:<9} {words}")
    chat.say("Enter sends · Esc Enter: new line · Ctrl-C stops an answer · Ctrl-D leaves")


async def _quit(chat: ChatCommands, _: str) -> None:
    chat.leaving = True


async def _profile(chat: ChatCommands, name: str) -> None:
    config = load_config()
    if not name:
        chat.say(f"{chat.opened.label}   (profiles: {', '.join(config.names)})")
        return
    await _switch(chat, config.profile(name), ConversationOptions())
    chat.say(chat.opened.label)


async def _model(chat: ChatCommands, model: str) -> None:
    if model:
        await _switch(chat, chat.opened.profile, ConversationOptions(model=model))
    chat.say(chat.opened.label)


async def _switch(chat: ChatCommands, profile: Profile, options: ConversationOptions) -> None:
    """Continue with another assistant. The present one is closed once the new one is connected."""
    conversation = chat.opened.conversation
    before = conversation.configured
    configured = configure(profile, options, before, before.tools)
    assistant = connect(msgspec.structs.replace(profile, model=configured.model))
    await conversation.assistant.aclose()
    conversation.configure(configured, assistant)
    chat.opened.profile = profile


async def _system(chat: ChatCommands, instructions: str) -> None:
    conversation = chat.opened.conversation
    if instructions:
        conversation.configure(msgspec.structs.replace(conversation.configured, instructions=instructions))
    chat.say(conversation.configured.instructions or "No instructions. To give some: /system TEXT")


async def _tools(chat: ChatCommands, _: str) -> None:
    tools = chat.opened.user.tools
    for tool in tools.values():
        chat.say(f"{tool.name}   {tool.description}")
    if not tools:
        chat.say("No tools. To offer some: asst chat -t package.module:function")


async def _session(chat: ChatCommands, _: str) -> None:
    session = chat.opened.session
    chat.say(f"{session.id}   {session.path}" if session else "This chat isn't saved (--no-save).")


async def _events(chat: ChatCommands, _: str) -> None:
    chat.show_events = not chat.show_events
    chat.say(f"Steps as JSON: {'on' if chat.show_events else 'off'}.")


async def _save(chat: ChatCommands, name: str) -> None:
    from ...config.atomic import write_new
    from ...config.paths import expand_home
    from ...store.transcript_file import to_json

    if not name:
        raise UsageError("/save needs a file name.", "For example: /save talk.json")
    path = expand_home(name)
    if path.exists():
        raise UsageError(f"{path} already exists.", "Choose another name.")
    write_new(path, to_json(chat.transcript))
    chat.say(f"Saved: {path}")


async def _retry(chat: ChatCommands, _: str) -> None:
    if not chat.last_message:
        raise UsageError("Nothing to retry: you sent no message yet.")
    if not chat.transcript.exchanges[-1].withdrawn:  # else /undo has done it already
        _cut_last_exchange(chat)
    await chat.exchange(chat.last_message)


async def _undo(chat: ChatCommands, _: str) -> None:
    _cut_last_exchange(chat)
    chat.say("Undone. The assistant no longer sees the last turn; the session file keeps it.")


async def _clear(chat: ChatCommands, _: str) -> None:
    chat.opened.conversation.cut_history(0)
    chat.console.clear()
    chat.say("Starting fresh. The session file still has everything.")


def _cut_last_exchange(chat: ChatCommands) -> None:
    conversation = chat.opened.conversation
    if not conversation.history.exchanges:
        raise UsageError("Nothing to undo.")
    conversation.cut_history(len(conversation.history.exchanges) - 1)


COMMANDS: dict[str, tuple[Command, str]] = {
    "help": (_help, "list the commands"),
    "quit": (_quit, "leave; the session is saved"),
    "profile": (_profile, "show the profile; /profile NAME switches to another"),
    "model": (_model, "show the model; /model NAME switches to another"),
    "system": (_system, "show the instructions; /system TEXT changes them"),
    "tools": (_tools, "list the tools that the assistant may call"),
    "session": (_session, "show the session's id and file"),
    "events": (_events, "print every step as JSON, too: on or off"),
    "save": (_save, "/save FILE writes the transcript"),
    "retry": (_retry, "send the last message again"),
    "undo": (_undo, "take the last turn back"),
    "clear": (_clear, "start fresh, and clear the screen"),
}


async def run_command(chat: ChatCommands, line: str) -> None:
    """Run `/name argument`.

    Raises:
        UsageError: the command doesn't exist, or can't be run now.
    """
    name, _, argument = line.removeprefix("/").partition(" ")
    if name not in COMMANDS:
        raise UsageError(f"No such command: /{name}.", "/help lists the commands.")
    await COMMANDS[name][0](chat, argument.strip())


class SlashCompleter(Completer):
    """Completes the names of commands and profiles."""

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
