"""What a tool raises when a call fails."""

from __future__ import annotations

from ..core.errors import AsstError

__all__ = ["ToolError"]


class ToolError(AsstError):
    """A call failed in a way that the assistant can act on; it is told the message as it is.

    Raise it in a tool to say in your own words what is wrong. Any other exception is told with the name of its class.
    """
