"""Names for what a server creates: unique, in order, and of the right shape."""

from __future__ import annotations

import base64
import hashlib
import itertools


class Ids:
    """`ids("resp")` is `resp_000...1`, then `resp_000...2`."""

    def __init__(self) -> None:
        self._count = itertools.count(1)

    def __call__(self, prefix: str) -> str:
        return f"{prefix}_{next(self._count):032x}"

    def blob(self, prefix: bytes = b"") -> str:
        """Opaque bytes in standard base64, padding, `+` and `/` included."""
        digest = hashlib.sha512(str(next(self._count)).encode()).digest()
        return base64.b64encode(prefix + b"\xfb\xff" + digest).decode()
