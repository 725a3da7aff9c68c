"""The commands of the chat that begin with a slash."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

import msgspec
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from ...core.errors import UsageError
from ...core.near_names import near_names
from ...export.write import SUFFIXES, export, form_of, write_export
from ...store.store import Store
from ...store.transcript import ExchangeEntry, last_sent
from ...text.safe_text import clean_label, clean_line
from ..assistant_setup import settings_for
from ..conversation_setup import OpenConversation
from ..resources import is_resource, read_resources
from ..schema_option import schema_of
from . import session_commands
from .answer_commands import copy, edit
from .chat_protocol import ChatCommands, Command
from .compact import compact_command
from .compare import compare_command
from .help_command import no_such_command, show_help
from .model_commands import model_command, profile_command
from .pending_files import unquoted
from .tools_command import tools_command
from .turn_commands import call, states, thoughts

__all__ = ["COMMANDS", "SlashCompleter", "parse_line"]

_QUOTED = 60
"""Characters of a message or of instructions that are quoted."""
_CLEAR = frozenset({"clear", "none", "off", "-", '""'})
"""Words after `/system` and `/schema` that remove what is set."""


async def _help(chat: ChatCommands, name: str) -> None:
    await show_help(chat, name, {name: command.words for name, command in COMMANDS.items()})


async def _quit(chat: ChatCommands, _: str) -> None:
    chat.leaving = True


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
        source = unquoted(source)
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
    chat.say(f'Undone: "{clean_label(entry.user, _QUOTED)}". The assistant no longer sees it; the session file does.')


async def _clear(chat: ChatCommands, _: str) -> None:
    chat.opened.conversation.cut_history(0)
    chat.console.clear()
    chat.say("Starting fresh. The session file still has everything.")


def _last_exchange(chat: ChatCommands, to: str) -> ExchangeEntry:
    """The last exchange that the assistant still sees."""
    entry = last_sent(chat.transcript)
    if entry is None or not chat.opened.conversation.history.exchanges:
        raise UsageError(f"Nothing to {to}: the assistant sees no turn.")
    if entry.summarises:
        raise UsageError(f"Nothing to {to}: the assistant sees only the summary of the turns before it.")
    return entry


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """A command, what `/help` says about it, and what may follow its name.

    That is nothing, one `word`, two `words` at most, a `file` (one word, or a name that ends as exports do), or any `text`.
    """

    run: Command
    words: str
    takes: Literal["nothing", "word", "words", "file", "text"] = "nothing"


COMMANDS: dict[str, SlashCommand] = {
    "help": SlashCommand(_help, "list keys and commands; /help COMMAND explains one", "word"),
    "quit": SlashCommand(_quit, "leave; the session is saved"),
    "profile": SlashCommand(
        profile_command, "choose the profile; /profile NAME switches, with its instructions and tools", "word"
    ),
    "model": SlashCommand(model_command, "choose the model from a list with prices; /model NAME switches", "word"),
    "system": SlashCommand(
        _system, "show the instructions; /system TEXT changes them, /system clear removes them", "text"
    ),
    "schema": SlashCommand(
        _schema, "show the schema of answers; /schema name, age int sets it, /schema clear removes it", "text"
    ),
    "set": SlashCommand(
        _set, "show the settings of the API; /set key=value changes one, key=null leaves it out", "text"
    ),
    "compare": SlashCommand(
        compare_command,
        "ask another profile the same question: /compare PROFILE, with its instructions and tools; continue with either",
        "word",
    ),
    "tools": SlashCommand(
        tools_command, "list the tools; /tools NAME ask, allow or block changes when one runs, in this session", "words"
    ),
    "copy": SlashCommand(copy, "copy the last answer, or its code block N", "word"),
    "states": SlashCommand(
        states, "print the states of the last turn, with times; /states on prints them after every turn", "word"
    ),
    "thoughts": SlashCommand(
        thoughts, "print the reasoning of the last turn; /thoughts on prints it after every turn", "word"
    ),
    "call": SlashCommand(call, "print the last tool call whole, or call N of the last turn", "word"),
    "edit": SlashCommand(edit, "edit the last message in $EDITOR"),
    "sessions": SlashCommand(
        session_commands.continue_session, "pick another session to continue; /sessions ID names it", "word"
    ),
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
    "compact": SlashCommand(
        compact_command,
        "sum up all but the last two turns, to free context; /compact show prints the summary",
        "word",
    ),
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
    if "/" in name or (argument and not near_names(name, COMMANDS)):
        return line
    raise no_such_command(name, COMMANDS, f"To send it as a message: /{line}")


def _fits(argument: str, takes: str) -> bool:
    if takes == "file" and argument.lower().endswith(SUFFIXES):
        return True
    most = {"word": 1, "file": 1, "words": 2}.get(takes, 0)
    return takes == "text" or len(argument.split()) <= most


def _short(words: str) -> str:
    """What a command does, without how: the menu has one row for it."""
    return words.partition(";")[0].partition(":")[0]


class SlashCompleter(Completer):
    """Completes the names of commands, and what may follow them: profiles, models, settings, tools."""

    def __init__(self, opened: Callable[[], OpenConversation]) -> None:
        self._opened = opened

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002
        """What may follow the text before the cursor."""
        text = document.text_before_cursor
        if not text.startswith("/"):
            return
        name, space, typed = text[1:].partition(" ")
        if space:
            for value, about in self._arguments(name, typed):
                yield Completion(value, -len(typed.rpartition(" ")[2]), display_meta=about)
            return
        for command, what in COMMANDS.items():
            if command.startswith(name):
                yield Completion(command, -len(name), display_meta=_short(what.words))

    def _arguments(self, command: str, typed: str) -> Iterable[tuple[str, str]]:
        from .. import completion

        provider = self._opened().profile.provider
        match command:
            case "profile" | "compare":
                return completion.profiles(typed)
            case "model":
                return completion.provider_models(provider, typed)
            case "set":
                return completion.provider_settings(provider, typed)
            case "compact":
                return [("show", "print the last summary")] if "show".startswith(typed) else []
            case "tools" if " " in typed:
                last = typed.rpartition(" ")[2]
                return [(word, "") for word in ("ask", "allow", "block") if word.startswith(last)]
            case "tools":
                tools = self._opened().tools
                return [(one.name, tools.approval(one)) for one in tools.all if one.name.startswith(typed)]
        return []
