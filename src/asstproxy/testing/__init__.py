"""The suite that every provider passes, for your own provider, too. See `ProviderContract`."""

from __future__ import annotations

import sys

if "pytest" in sys.modules:  # its failures say more when it may rewrite the assertions; nothing here needs it
    import pytest

    pytest.register_assert_rewrite(*(f"asstproxy.testing.{name}" for name in ("contract", "law", "talk")))

from .bench import Bench, Calls, Failure, Hang, Reply, Text
from .contract import ProviderContract
from .law import tasks_left
from .talk import Talk

__all__ = ["Bench", "Calls", "Failure", "Hang", "ProviderContract", "Reply", "Talk", "Text", "tasks_left"]
