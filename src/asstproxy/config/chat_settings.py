"""The table `[chat]` of the configuration: how the prompt of `asst chat` is edited.

```toml
[chat]
editing = "vi"                # or "emacs", which is the default

[chat.keys]                   # a key as prompt_toolkit names it, several with spaces between them
f2 = "/sessions"              # a slash command,
c-o = "newline"               # what the chat can do: send, newline, editor,
"c-x c-u" = "undo"            # or a command of readline
```
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["ChatSettings"]


class ChatSettings(msgspec.Struct):
    """How the prompt is edited. `keys`: what a key does, or several keys typed one after the other."""

    editing: Literal["emacs", "vi"] = "emacs"
    keys: dict[str, str] = {}
