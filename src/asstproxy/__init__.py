"""asstproxy: conversations with assistants that follow an explicit interaction script.

```python
from asstproxy import start_conversation

user = start_conversation("gpt", instructions="Answer briefly.")
user.send_user_message("What is the capital of France?")
print(await user.get_assistant_message())
```
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .core.assistant import AssistantProxy, ToolSpec, Turn
    from .core.config import Profile
    from .core.conversation import Conversation, Options
    from .core.driver import Patience
    from .core.errors import AssistantError, AsstError, NotSetUpError, ScriptError, SessionError, UsageError
    from .core.events import Event, Record
    from .core.mediator import Mediator, MediatorBasic, MediatorStateMachine
    from .core.replay import conform
    from .core.script import SCRIPT, Do, State, Step
    from .core.store import Store
    from .core.tools import Tool, tool
    from .core.tools import Tool, ToolError, tool
    from .core.user import UserProxy
    from .start import start_conversation

_NAMES = {
    "AssistantError": "core.errors",
    "AssistantProxy": "core.assistant",
    "AsstError": "core.errors",
    "Conversation": "core.conversation",
    "Do": "core.script",
    "Event": "core.events",
    "Mediator": "core.mediator",
    "MediatorBasic": "core.mediator",
    "MediatorStateMachine": "core.mediator",
    "NotSetUpError": "core.errors",
    "Options": "core.conversation",
    "Patience": "core.driver",
    "Profile": "core.config",
    "Record": "core.events",
    "SCRIPT": "core.script",
    "ScriptError": "core.errors",
    "SessionError": "core.errors",
    "State": "core.script",
    "Step": "core.script",
    "Store": "core.store",
    "Tool": "core.tools",
    "Tool": "core.tools",
    "ToolError": "core.tools",
    "ToolSpec": "core.assistant",
    "Turn": "core.assistant",
    "UsageError": "core.errors",
    "UserProxy": "core.user",
    "conform": "core.replay",
    "start_conversation": "start",
    "tool": "core.tools",
    "tool": "core.tools",
}

__all__ = [  # noqa: PLE0604, RUF022 - the table above is the list
    "__version__",
    *_NAMES,
]


def __getattr__(name: str) -> Any:
    # Late (PEP 562): `asst --version` and `import asstproxy` cost nothing but this file.
    if name in _NAMES:
        return getattr(import_module(f".{_NAMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
