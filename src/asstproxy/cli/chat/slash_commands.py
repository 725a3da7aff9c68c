"""The commands of the chat that begin with a slash."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import msgspec
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from ...config.profiles import Profile, load_config
from ...core.errors import UsageError
from ...core.near_names import near_names
from ...export.write import SUFFIXES, export, form_of, write_export
from ...store.store import Store
from ...store.transcript import ExchangeEntry, last_sent
from ...text.call_text import call_line, call_text
from ...text.safe_text import clean_label, clean_line
from ..assistant_setup import connect_assistant, settings_for
from ..conversation_setup import configure
from ..options import ConversationOptions
from ..resources import is_resource, read_resources
from ..schema_option import schema_of
from . import session_commands
from .answer_commands import copy, edit
from .chat_protocol import ChatCommands, Command
from .help_command import show_help
from .turn_commands import call, states, thoughts

__all__ = ["COMMANDS", "SlashCompleter", "parse_line"]

_QUOTED = 60
"""Characters of a message or of instructions that are quoted."""
_CLEAR = frozenset({"clear", "none", "-", '""'})
"""Words after `/system` that remove the instructions."""


async def _help(chat: ChatCommands, name: str) -> None:
    await show_help(chat, name, {name: command.words for name, command in COMMANDS.items()})


async def _quit(chat: ChatCommands, _: str) -> None:
    chat.leaving = True


async def _profile(chat: ChatCommands, name: str) -> None:
    config = load_config()
    if not name:
        chat.say(f"{chat.opened.label}   (profiles: {', '.join(config.names)})")
        return
    profile = config.profile(name)
    await _switch(chat, profile, ConversationOptions(system=profile.instructions), tools=True)
    chat.say(_whole_label(chat))


async def _model(chat: ChatCommands, model: str) -> None:
    if model:
        options = ConversationOptions(model=model, settings=chat.opened.options.settings)
        await _switch(chat, chat.opened.profile, options)
    chat.say(chat.opened.label)


async def _switch(chat: ChatCommands, profile: Profile, options: ConversationOptions, *, tools: bool = False) -> None:
    """Continue with another assistant, and with `tools` with those of the profile.

    The present one is closed once the new one is connected; if something of the new one is missing, nothing changes.
    """
    conversation, user = chat.opened.conversation, chat.opened.user
    before = conversation.configured
    configured = configure(profile, options, before, before.tools)
    assistant = connect_assistant(profile, configured, chat.opened.options, chat.opened.budget)
    if tools:
        try:
            await chat.opened.tools.offer(profile, chat.opened.options)
        except BaseException:
            await assistant.aclose()
            raise
        configured = msgspec.structs.replace(configured, tools=tuple(user.tools))
    await conversation.assistant.aclose()
    conversation.configure(configured, assistant)
    chat.opened.profile = profile


def _whole_label(chat: ChatCommands) -> str:
    """Who answers, with which instructions and tools."""
    instructions = clean_label(chat.opened.conversation.configured.instructions, _QUOTED)
    tools = ", ".join(chat.opened.user.tools)
    return " · ".join(
        (
            chat.opened.label,
            f'instructions: "{instructions}"' if instructions else "no instructions",
            f"tools: {tools}" if tools else "no tools",
        )
    )


async def _set(chat: ChatCommands, pair: str) -> None:
    opened, conversation = chat.opened, chat.opened.conversation
    if pair:
        options = replace(opened.options, settings=[*(opened.options.settings or ()), pair])
        settings = settings_for(opened.profile, options)
        conversation.configure(msgspec.structs.replace(conversation.configured, settings=settings))
        opened.options = options
    for name, value in conversation.configured.settings.items():
        chat.say(f"{name} = {msgspec.json.encode(value).decode()}")
    if not conversation.configured.settings:
        chat.say("No settings. To change one: /set temperature=0.2")


async def _system(chat: ChatCommands, instructions: str) -> None:
    conversation = chat.opened.conversation
    if instructions in _CLEAR:
        conversation.configure(msgspec.structs.replace(conversation.configured, instructions=""))
    elif instructions:
        conversation.configure(msgspec.structs.replace(conversation.configured, instructions=instructions))
    now = conversation.configured.instructions
    chat.say(f"{now}   (to remove them: /system clear)" if now else "No instructions. To give some: /system TEXT")


async def _tools(chat: ChatCommands, _: str) -> None:
    tools = chat.opened.user.tools
    for tool in tools.values():
        chat.say(f"{call_line(tool.name)}   {call_text(tool.description)}")
    if not tools:
        chat.say("No tools. To offer some: asst chat -t package.module:function")


async def _schema(chat: ChatCommands, text: str) -> None:
    if text in _CLEAR:
        chat.schema = None
    elif text:
        chat.schema = schema_of(text)
    if chat.schema is None:
        chat.say("No schema. To get answers as data: /schema name, age int: in years")
        return
    members = ", ".join(map(clean_line, chat.schema.schema.get("properties", ())))
    chat.say(f"Answers are data: {members}   (to end that: /schema clear)")


async def _events(chat: ChatCommands, _: str) -> None:
    chat.show_events = not chat.show_events
    chat.say(f"Steps as JSON: {'on' if chat.show_events else 'off'}.")


async def _usage(chat: ChatCommands, _: str) -> None:
    from ..exchange_cost import prices
    from ..usage_table import sums_of_exchanges, total_of, usage_lines

    sums = sums_of_exchanges(chat.transcript.exchanges, prices())
    if not sums:
        chat.say("No turn yet.")
    for line in usage_lines("Model", sums, total_of(sums), chat.console.width) if sums else ():
        chat.say(line)


async def _save(chat: ChatCommands, name: str) -> None:
    from ...config.paths import expand_home

    if not name:
        raise UsageError("/save needs a file name.", "For example: /save chat.json (or .md, .html)")
    path = expand_home(name)
    session = chat.opened.session
    records = Store().records(session.id) if session is not None else []
    write_export(path, export(chat.transcript, records, form_of(path), files=chat.opened.conversation.files))
    chat.say(f"Saved: {path}")


async def _attach(chat: ChatCommands, source: str) -> None:
    if source == "-1":
        chat.say(f"No longer attached: {chat.files.take_back()}")
    elif source:
        if is_resource(source):
            chat.files.put(await chat.files.interruptible(read_resources(chat.opened, [source])))
        else:
            await chat.files.add(source)
        chat.say(chat.files.lines()[-1])
    else:
        for line in chat.files.lines() or ["No file is attached. To attach one: /attach FILE, or @path in the message"]:
            chat.say(line)


async def _retry(chat: ChatCommands, _: str) -> None:
    entry = _last_exchange(chat, "retry")
    chat.say(f'Trying again: "{clean_label(entry.user, _QUOTED)}"')
    await chat.retry(entry.user, entry.attachments, entry.schema)


async def _undo(chat: ChatCommands, _: str) -> None:
    entry = _last_exchange(chat, "undo")
    chat.opened.conversation.cut_history(len(chat.opened.conversation.history.exchanges) - 1)
    chat.say(
        f'Undone: "{clean_label(entry.user, _QUOTED)}" The assistant no longer sees the last turn; the session file keeps it.'
    )


async def _clear(chat: ChatCommands, _: str) -> None:
    chat.opened.conversation.cut_history(0)
    chat.console.clear()
    chat.say("Starting fresh. The session file still has everything.")


def _last_exchange(chat: ChatCommands, to: str) -> ExchangeEntry:
    """The last exchange that the assistant still sees."""
    entry = last_sent(chat.transcript)
    if entry is None or not chat.opened.conversation.history.exchanges:
        raise UsageError(f"Nothing to {to}: the assistant sees no turn.")
    return entry


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """A command, what `/help` says about it, and what may follow its name.

    That is nothing, one `word`, a `file` (one word, or a name that ends as exports do), or any `text`.
    """

    run: Command
    words: str
    takes: Literal["nothing", "word", "file", "text"] = "nothing"


COMMANDS: dict[str, SlashCommand] = {
    "help": SlashCommand(_help, "list keys and commands; /help COMMAND explains one", "word"),
    "quit": SlashCommand(_quit, "leave; the session is saved"),
    "profile": SlashCommand(
        _profile, "show the profile; /profile NAME switches, with its instructions and tools", "word"
    ),
    "model": SlashCommand(_model, "show the model; /model NAME switches to another", "word"),
    "system": SlashCommand(
        _system, "show the instructions; /system TEXT changes them, /system clear removes them", "text"
    ),
    "schema": SlashCommand(
        _schema, "show the schema of answers; /schema name, age int sets it, /schema clear removes it", "text"
    ),
    "set": SlashCommand(
        _set, "show the settings of the API; /set key=value changes one, key=null leaves it out", "text"
    ),
    "tools": SlashCommand(_tools, "list the tools that the assistant may call"),
    "copy": SlashCommand(copy, "copy the last answer, or its code block N", "word"),
    "states": SlashCommand(
        states, "print the states of the last turn, with times; /states on prints them after every turn", "word"
    ),
    "thoughts": SlashCommand(
        thoughts, "print the reasoning of the last turn; /thoughts on prints it after every turn", "word"
    ),
    "call": SlashCommand(call, "print the last tool call whole, or call N of the last turn", "word"),
    "edit": SlashCommand(edit, "edit the last message in $EDITOR"),
    "sessions": SlashCommand(session_commands.pick, "pick another session to continue"),
    "search": SlashCommand(session_commands.pick, "pick a session in which these words occur", "text"),
    "show": SlashCommand(session_commands.show, "show the whole session"),
    "session": SlashCommand(session_commands.session, "show this session's title, id and file"),
    "rename": SlashCommand(session_commands.rename, "give this session a title", "text"),
    "fork": SlashCommand(session_commands.fork_here, "continue in a copy, or in a copy of the first N turns", "word"),
    "rewind": SlashCommand(session_commands.rewind, "go back to turn N; without N, list the turns", "word"),
    "usage": SlashCommand(_usage, "show the turns, tokens and cost of this session"),
    "events": SlashCommand(_events, "print every step as JSON, too: on or off"),
    "export": SlashCommand(_save, "the same as /save", "file"),
    "save": SlashCommand(_save, "/save FILE writes the session; the suffix chooses: .json, .md, .html, .mmd", "file"),
    "attach": SlashCommand(
        _attach,
        "/attach FILE sends a file with the next message (@path in the message does, too); -1 takes it back",
        "text",
    ),
    "retry": SlashCommand(_retry, "send the last message again"),
    "undo": SlashCommand(_undo, "take the last turn back"),
    "clear": SlashCommand(_clear, "start fresh, and clear the screen"),
}
_OTHER_NAMES = {"/exit": "quit", "/q": "quit", "exit": "quit", "quit": "quit", ":q": "quit", "/?": "help"}


def parse_line(line: str) -> tuple[Command, str] | str:
    """What a line at the prompt is: a command with its argument, or a message to send.

    A command is a whole line: `/clear is what in bash?` and `/etc/hosts explain this` are messages, and `//x` sends `/x`.

    Raises:
        UsageError: it looks like a command that doesn't exist.
    """
    if line.startswith("//"):
        return line[1:]
    if line in _OTHER_NAMES:
        return COMMANDS[_OTHER_NAMES[line]].run, ""
    if not line.startswith("/"):
        return line
    first, *_ = line.split(maxsplit=1)
    name, argument = first[1:], line[len(first) :].strip()
    command = COMMANDS.get(name)
    if command is not None:
        return (command.run, argument) if not argument or _fits(argument, command.takes) else line
    near = near_names(name, COMMANDS)
    if "/" in name or (argument and not near):
        return line
    meant = f"Did you mean /{near[0]}?" if near else "/help lists the commands."
    raise UsageError(f"No such command: /{name}.", f"{meant} To send it as a message: /{line}")


def _fits(argument: str, takes: str) -> bool:
    if takes == "file" and argument.lower().endswith(SUFFIXES):
        return True
    return takes == "text" or (takes in ("word", "file") and len(argument.split()) == 1)


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
                yield Completion(name, -len(typed), display_meta=COMMANDS[name].words if name in COMMANDS else "")
