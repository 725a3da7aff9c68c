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

from ._version import __version__

TYPE_CHECKING = False  # as type checkers read it: to import `typing` takes half of the time of `asst --version`
if TYPE_CHECKING:
    from typing import Any

    from .batches import batch
    from .config.profiles import Profile
    from .config.template import Template
    from .config.templates import load_template
    from .core.attachment import AttachedFile, Attachment
    from .core.conversation import Conversation
    from .core.errors import AssistantError, AsstError, NotSetUpError, ScriptError, SessionError, UsageError
    from .core.events import Event, Record
    from .core.mediator import Mediator, MediatorBasic, MediatorStateMachine, conform
    from .core.retry import RetryPolicy
    from .core.roles import AssistantProxy
    from .core.script import SCRIPT, Do, State, Step
    from .core.turn import Options, ToolSpec, Turn
    from .files import read_attachment
    from .start import start_conversation
    from .store.store import Store
    from .tools import Tool, ToolError, tool
    from .user import UserProxy

__all__ = [
    "SCRIPT",
    "AssistantError",
    "AssistantProxy",
    "AsstError",
    "AttachedFile",
    "Attachment",
    "Conversation",
    "Do",
    "Event",
    "Mediator",
    "MediatorBasic",
    "MediatorStateMachine",
    "NotSetUpError",
    "Options",
    "Profile",
    "Record",
    "RetryPolicy",
    "ScriptError",
    "SessionError",
    "State",
    "Step",
    "Store",
    "Template",
    "Tool",
    "ToolError",
    "ToolSpec",
    "Turn",
    "UsageError",
    "UserProxy",
    "__version__",
    "batch",
    "conform",
    "load_template",
    "read_attachment",
    "start_conversation",
    "tool",
]

_HOMES = {
    "core.roles": ("AssistantProxy",),
    "core.attachment": ("AttachedFile", "Attachment"),
    "files": ("read_attachment",),
    "core.turn": ("Options", "ToolSpec", "Turn"),
    "config.profiles": ("Profile",),
    "config.template": ("Template",),
    "config.templates": ("load_template",),
    "core.conversation": ("Conversation",),
    "core.retry": ("RetryPolicy",),
    "core.errors": ("AssistantError", "AsstError", "NotSetUpError", "ScriptError", "SessionError", "UsageError"),
    "core.events": ("Event", "Record"),
    "core.mediator": ("Mediator", "MediatorBasic", "MediatorStateMachine", "conform"),
    "core.script": ("SCRIPT", "Do", "State", "Step"),
    "store.store": ("Store",),
    "tools": ("Tool", "ToolError", "tool"),
    "user": ("UserProxy",),
    "start": ("start_conversation",),
    "batches": ("batch",),
}


def __getattr__(name: str) -> Any:
    # Late (PEP 562): `asst --version` and `import asstproxy` cost nothing but this file.
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f".{home}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
