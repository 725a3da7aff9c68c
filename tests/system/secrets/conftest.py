"""The installed command on a machine of its own, as the tests of `setup` have it."""

from __future__ import annotations

from cli.setup.conftest import asst, config, credentials, home

__all__ = ["asst", "config", "credentials", "home"]
