"""The keys of the prompt: what Enter, Tab and the others do, and those that the configuration adds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, has_focus
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.key_binding.bindings.named_commands import get_by_name
from prompt_toolkit.key_binding.key_bindings import Binding
from prompt_toolkit.keys import Keys

from ...config.profiles import ChatSettings, config_file
from ...core.errors import AsstError, NotSetUpError
from ..editor import edit_text
from ..error_output import print_error
from .pasted_text import Folds

__all__ = ["PromptState", "bind_keys"]

Handler = Callable[[KeyPressEvent], object]


class PromptState(Protocol):
    """What keys need to know, and change, of the prompt that they are pressed at."""

    folds: Folds
    editor_is_open: bool

    def note_paste(self, text: str) -> None:
        """Called with each pasted text."""

    def run_line(self, line: str) -> None:
        """End the prompt with this slash command; what was typed becomes the draft of the next one."""


def bind_keys(state: PromptState, settings: ChatSettings) -> KeyBindings:
    """The keys of the chat's prompt.

    Raises:
        NotSetUpError: the configuration has a key, or something for a key to do, that doesn't exist.
    """
    keys = KeyBindings()
    here = has_focus(DEFAULT_BUFFER)  # not while Ctrl-R searches
    actions: dict[str, Handler] = {
        "send": _send,
        "newline": _new_line,
        "editor": partial(_edit, state),
        "unfold": partial(_unfold, state),
    }
    for sequence, action in (
        (("enter",), "send"),
        (("escape", "enter"), "newline"),
        (("c-j",), "newline"),
        (("c-x", "c-e"), "editor"),
    ):
        keys.add(*sequence, filter=here)(actions[action])
    at_fold = Condition(lambda: bool(_fold_at_cursor(state)))
    keys.add("tab", filter=here & at_fold)(actions["unfold"])
    keys.add(Keys.BracketedPaste)(partial(_paste, state))
    for named, wanted in settings.keys.items():
        try:
            handler = actions.get(wanted) or _handler(state, wanted)
            keys.add(*(_KEY_NAMES.get(key.lower(), key.lower()) for key in named.split()), filter=here)(handler)
        except (KeyError, ValueError) as error:
            raise NotSetUpError(
                f'{config_file()}: [chat.keys] has "{named}" = "{wanted}": {_why(wanted, error)}',
                'Write, for example: f2 = "/sessions", or "c-x c-u" = "undo".',
            ) from None
    return keys


_KEY_NAMES = {"esc": "escape", "return": "enter", "del": "delete"}


def _why(wanted: str, error: Exception) -> str:
    if isinstance(error, KeyError):
        return f'there is nothing called "{wanted}".'
    return f"{error}."


def _handler(state: PromptState, wanted: str) -> Handler | Binding:
    if wanted.startswith("/"):
        return lambda _: state.run_line(wanted)
    return get_by_name(wanted)


def _send(event: KeyPressEvent) -> None:
    """Send the message, unless it ends with a backslash: that makes a new line. Two of them are a backslash."""
    buffer = event.current_buffer
    before = buffer.document.text_before_cursor
    if buffer.document.is_cursor_at_the_end and (len(before) - len(before.rstrip("\\"))) % 2:
        buffer.delete_before_cursor()
        buffer.insert_text("\n")
    else:
        buffer.validate_and_handle()


def _new_line(event: KeyPressEvent) -> None:
    event.current_buffer.insert_text("\n")


def _paste(state: PromptState, event: KeyPressEvent) -> None:
    text = event.data.replace("\r\n", "\n").replace("\r", "\n")  # as prompt_toolkit's own binding does
    if event.current_buffer.name != DEFAULT_BUFFER:
        event.current_buffer.insert_text(text)
        return
    state.note_paste(text)
    event.current_buffer.insert_text(state.folds.fold(text))


def _fold_at_cursor(state: PromptState) -> str:
    """The character of the fold before or under the cursor; empty if there is none."""
    from prompt_toolkit.application import get_app

    document = get_app().current_buffer.document
    near = (document.char_before_cursor, document.current_char)
    return next((one for one in near if one and state.folds.content(one)), "")


def _unfold(state: PromptState, event: KeyPressEvent) -> None:
    buffer, mark = event.current_buffer, _fold_at_cursor(state)
    start = buffer.cursor_position - (buffer.document.char_before_cursor == mark)
    whole = state.folds.content(mark)
    buffer.document = Document(buffer.text[:start] + whole + buffer.text[start + 1 :], start + len(whole))


async def _edit(state: PromptState, event: KeyPressEvent) -> None:
    """Let the user edit the message in their editor; it comes back into the prompt."""
    buffer: Buffer = event.current_buffer
    state.editor_is_open = True
    try:
        text = await run_in_terminal(partial(edit_text, state.folds.expand(buffer.text)), in_executor=True)
    except (AsstError, OSError) as error:
        await run_in_terminal(partial(print_error, error))
        return
    finally:
        state.editor_is_open = False
    text = state.folds.fold_known(text)
    buffer.document = Document(text, len(text))
