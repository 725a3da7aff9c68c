"""The installed command and its server, as the tests of the command have them."""

from __future__ import annotations

from cli.conftest import asst, server

__all__ = ["asst", "server"]
