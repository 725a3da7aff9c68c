"""The texts of `asst help TOPIC`: what a person wants to know before they open the docs."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["TOPICS", "topic_text"]

_ASK = """\
asst ask asks once. The answer is on stdout, and nothing else is.

  asst ask "Why is the sky blue?"
  git diff | asst ask "Review this"       a pipe is read, too
  asst ask -c "And at night?"             -c continues the latest session
  asst ask -p local "hi"                  -p chooses a profile, -m a model
  asst ask -a photo.jpg "What is this?"   -a attaches a file or a URL
  asst ask -x "a sed one-liner" >run.sh   -x prints only the code
  asst ask --retry                        asks the last message again

Options: asst ask -h
"""
_KEYS = """\
In the chat (/help lists the commands, too):

  Enter                     send
  Alt-Enter, Esc Enter,
  Ctrl-J, or \\ Enter        new line
  Ctrl-X Ctrl-E             write in $VISUAL or $EDITOR
  Ctrl-R                    search what you sent before
  Up in an empty line       the last message; Enter asks whether to replace it
  Tab                       complete a command, @path; open a folded paste
  Ctrl-C                    stop the answer; in an empty line twice: leave
  Ctrl-D                    leave
  Ctrl-Z                    suspend; fg comes back

In the file of asst setup edit:

  [chat]
  editing = "vi"            vi's keys instead of emacs'
  [chat.keys]
  f2 = "/sessions"          a key for a slash command,
  c-o = "newline"           for send, newline, editor, unfold,
  "c-x c-u" = "undo"        or for a command of readline
"""
_API_KEYS = """\
A key is looked for under the name of its variable, such as OPENAI_API_KEY:

  1. in the environment (--env-file FILE reads variables from a file)
  2. in credentials.toml, which only you can read: asst setup gpt
  3. in the system's keyring: asst setup gpt --keyring

Keys are hidden while you type them, and never on the command line, in a session
or in a message. Where they are: asst setup list
"""
_PROFILES = """\
A profile is a saved assistant: provider, model, instructions, tools, settings.

  asst setup                make or change one, with questions
  asst setup gpt --model gpt-6.2-sol --yes
  asst setup list           the profiles, their models, and where their keys are
  asst setup use NAME       make it the default
  asst setup check          ask each one a real question
  asst setup edit           open the file in $EDITOR

Use one: asst ask -p NAME, asst chat -p NAME, or /profile NAME in the chat.
For every command: export ASST_PROFILE=NAME
"""
_SESSIONS = """\
Everything is saved, unless you add --no-save.

  asst chat -c              continue the latest session
  asst chat -r              pick one; -r zxz5 continues that one
  asst ask -c "…"           the same for one question; --session ID for another
  asst sessions list        latest first; search WORDS finds text
  asst sessions show ID     as it looked in the chat
  asst sessions export ID -o talk.html    or .md, .json, .mmd
  asst sessions fork ID --at 3            a copy of the first 3 turns
  asst sessions rm ID, prune --older-than 90d

An id is long; its last 4 letters are enough, as the list shows them.
In the chat: /sessions, /fork, /rewind, /rename, /show, /session
"""
_TOOLS = """\
A tool is a function that the assistant may call. You are asked before it runs.

  asst chat -t ./prices.py          the functions of a file
  asst chat -t package.module:name  one of an installed package
  asst tools list                   what there is
  asst tools run ./prices.py:price --arg symbol=AAPL

A profile can name its tools and MCP servers. --no-tools offers none, --yes runs
all without asking. When you are asked, answer yes, always, edit, or no and why.
"""
_SCRIPT = """\
Each turn follows a script, a state machine. The states:

  new                       nothing was asked yet
  ready, started            your message is on its way
  running                   the assistant works; streaming: its answer arrives
  requires_action           it wants tools
  awaiting_approval         you are asked whether they may run
  tools_executed            they ran; tool_outputs_submitted: it has the results
  completed                 the answer is complete
  incomplete                it reached a limit; the part is saved
  cancelled                 you, or a time limit, stopped it
  error                     it failed; /retry, or asst ask --retry

The diagram: asst script. A session step by step: asst replay --step
"""


def _commands() -> str:
    from .chat.help_text import help_lines
    from .chat.slash_commands import COMMANDS

    return "".join(f"{label}{line}".rstrip() + "\n" for label, line in help_lines(COMMANDS, 80))


def _exit_codes() -> str:
    from . import exit_codes as codes

    meanings = (
        (codes.OK, "completed"),
        (codes.FAILED, "failed, or the answer can't be printed"),
        (codes.USAGE, "wrong usage"),
        (codes.NOT_SET_UP, "not set up: a profile or its key is missing"),
        (codes.INCOMPLETE, "incomplete: the answer reached a limit"),
        (codes.SESSION, "no such session, or it is damaged, in use or can't be saved"),
        (codes.MISMATCH, "the answer isn't what was asked for (-x: it has no code)"),
        (codes.ITEMS_FAILED, "some lines of a batch failed; the others have their results"),
        (codes.TIMED_OUT, "the time limit was over (--timeout)"),
        (codes.HUNG_UP, "the terminal was closed"),
        (codes.INTERRUPTED, "stopped with Ctrl-C"),
        (codes.CLOSED_PIPE, "the reader of the output closed it"),
        (codes.TERMINATED, "ended by SIGTERM"),
    )
    return "".join(f"{code:>5}  {meaning}\n" for code, meaning in meanings)


def _files() -> str:
    from ..config.paths import cache_dir, config_dir, data_dir

    places = (
        ("Profiles, keys", config_dir(), "ASST_CONFIG_DIR"),
        ("Sessions", data_dir(), "ASST_DATA_DIR"),
        ("Cache", cache_dir(), "ASST_CACHE_DIR"),
    )
    lines = [f"{what:<16}{folder}\n{'':<16}(another folder: {variable})\n" for what, folder, variable in places]
    return "".join([*lines, "The cache can be deleted at any time. The other two are only yours to read.\n"])


_TOPICS: dict[str, tuple[str, str | Callable[[], str]]] = {
    "ask": ("one question, one answer", _ASK),
    "keys": ("keys of the chat, and how to change them", _KEYS),
    "commands": ("slash commands of the chat", _commands),
    "sessions": ("what is saved: find, continue, export", _SESSIONS),
    "profiles": ("saved assistants", _PROFILES),
    "api-keys": ("where keys are looked for", _API_KEYS),
    "tools": ("functions that assistants call", _TOOLS),
    "script": ("the states of a turn", _SCRIPT),
    "exit-codes": ("what a script can test", _exit_codes),
    "files": ("where everything is on this machine", _files),
}
TOPICS = {name: about for name, (about, _) in _TOPICS.items()}
"""What each topic is about."""


def topic_text(name: str) -> str:
    """The text of a topic. Known names only."""
    text = _TOPICS[name][1]
    return text if isinstance(text, str) else text()
