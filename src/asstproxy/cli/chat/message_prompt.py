"""The prompt of the chat, where a person writes: keys, history, completion, and long pasted text folded."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import Completer
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import AnyFormattedText, FormattedText
from prompt_toolkit.input import Input
from prompt_toolkit.layout import FloatContainer, walk
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.styles import Style

from ...config.profiles import ChatSettings
from .input_history import input_history
from .key_bindings import bind_keys
from .pasted_text import FoldProcessor, Folds

__all__ = ["MessagePrompt", "Typed"]

_MENU_ROWS = 5
_ESCAPE = 0.3
"""Seconds after Esc in which Enter makes a new line. In vi mode, Esc itself counts only then."""
_SEQUENCE = 0.05
"""Seconds in which the rest of an arrow key follows its Esc, also over SSH."""
_STYLE = Style.from_dict(
    {
        "prompt": "bold",
        "pasted": "ansicyan",
        "completion-menu": "noinherit",
        "completion-menu.completion": "noinherit",
        "completion-menu.completion.current": "noinherit reverse",
        "completion-menu.meta.completion": "noinherit",
        "completion-menu.meta.completion.current": "noinherit reverse",
        "bottom-toolbar": "noreverse",
        "bottom-toolbar.text": "noreverse",
        "toolbar": "dim",
        "toolbar.warning": "ansiyellow",
        "toolbar.full": "ansired bold",
        "scrollbar.background": "noinherit",
        "scrollbar.button": "noinherit reverse",
    }
)
"""The terminal's own colours: the row that is chosen is reversed."""


class Typed(NamedTuple):
    """A line of the prompt, with pasted texts whole. `is_last`: it is the last message, brought back and perhaps edited."""

    text: str
    is_last: bool = False


class MessagePrompt:
    """Reads one message or command after the other.

    `last_message` says what the last message was that the assistant still sees; `note_paste` is called with each pasted text,
    `toolbar` for the line at the bottom.
    """

    def __init__(
        self,
        completer: Completer,
        settings: ChatSettings,
        *,
        save_history: bool,
        note_paste: Callable[[str], None],
        last_message: Callable[[], str | None],
        toolbar: Callable[[], AnyFormattedText] | None = None,
    ) -> None:
        self.folds = Folds()
        self.note_paste = note_paste
        self.editor_is_open = False
        self.draft = ""
        self._last_message = last_message
        self.history = input_history(self.folds, save=save_history)
        self._history_before = 0  # strings, when the line was accepted: without the line
        self.session: PromptSession[str] = PromptSession(
            history=self.history,
            completer=completer,
            complete_while_typing=Condition(_may_complete),
            reserve_space_for_menu=_MENU_ROWS + 1,
            key_bindings=bind_keys(self, settings),
            editing_mode=EditingMode.VI if settings.editing == "vi" else EditingMode.EMACS,
            multiline=True,
            prompt_continuation=FormattedText([("class:prompt", "  ")]),
            input_processors=[FoldProcessor(self.folds)],
            search_ignore_case=True,
            bottom_toolbar=toolbar,
            style=_STYLE,
            enable_suspend=True,
        )
        self.session.app.timeoutlen, self.session.app.ttimeoutlen = _ESCAPE, _SEQUENCE
        _shrink_menu(self.session)
        self._count_history_before(self.session.default_buffer)

    async def read(self, mark: AnyFormattedText, draft: str, typed_ahead: Callable[[Input], str]) -> Typed:
        """What the user types after the mark, beginning with the `draft` and with what was `typed_ahead`.

        Raises:
            EOFError: Ctrl-D was pressed in an empty line.
            KeyboardInterrupt: Ctrl-C was pressed.
        """
        source, buffer = self.session.app.input, self.session.default_buffer
        with source.raw_mode():  # already now: in line mode, Enter would be the key that makes a new line
            text = await self.session.prompt_async(
                mark,
                default=self.folds.fold_known(draft),
                pre_run=lambda: buffer.insert_text(self.folds.fold_known(typed_ahead(source))),
                handle_sigint=False,
            )
        return Typed(self.folds.expand(text).strip(), is_last=self._was_last())

    def run_line(self, line: str) -> None:
        """End the prompt with this line; what was typed becomes the draft of the next one."""
        self.draft = self.folds.expand(self.session.default_buffer.text)
        get_app().exit(result=line)

    def _count_history_before(self, buffer: Buffer) -> None:
        accept = buffer.accept_handler

        def count(accepted: Buffer) -> bool:
            self._history_before = len(self.history.get_strings())
            return accept is not None and accept(accepted)

        buffer.accept_handler = count

    def _was_last(self) -> bool:
        """Whether the line was brought back from the history, and was the last message there."""
        last = self._last_message()
        if last is None:
            return False
        at, strings = self.session.default_buffer.working_index, self.history.get_strings()
        return at < self._history_before and self.folds.expand(strings[at]).strip() == last.strip()


def _may_complete() -> bool:
    """While typing, only a command and a file's name are completed."""
    document = get_app().current_buffer.document
    if document.text.startswith("/") and "\n" not in document.text:
        return True
    word = document.get_word_before_cursor(WORD=True)
    return word.startswith("@")


def _shrink_menu(session: PromptSession[str]) -> None:
    """Five rows: the prompt must not jump by half a screen when a slash is typed."""
    for container in walk(session.layout.container):
        if isinstance(container, FloatContainer):
            for one in container.floats:
                if isinstance(one.content, CompletionsMenu):
                    one.content = CompletionsMenu(max_height=_MENU_ROWS, scroll_offset=1)
