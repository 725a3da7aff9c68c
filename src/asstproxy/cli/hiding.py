"""What a person wrote into a file or a variable and should not see again on a screen: passwords and keys."""

from __future__ import annotations

import re

from ..core.redact import strip_userinfo

__all__ = ["hide"]

_NAMED = re.compile(
    r"""([\w-]*(?:api_?key|token|secret|passw(?:or)?d|authorization)(?!\w*_env)[\w-]*["']?\s*[=:]\s*)("[^"\n]*"|'[^'\n]*')""",
    re.IGNORECASE,
)


def hide(text: str) -> str:
    """The text without the user in an address, and without a value whose name says that it is secret."""
    return _NAMED.sub(r'\1"[hidden]"', strip_userinfo(text))
