"""The contract of an Assistant Proxy as tests: what asst relies on, and what holds for every provider.

```python
class TestMine(ProviderContract):
    failures = frozenset({"authentication", "rate_limit", "server"})

    def backend(self) -> MyBackend:
        return MyBackend()  # an HttpBackend
```

That is all: pytest finds the tests, or unittest if `unittest.TestCase` is a second base. They need no plugin. Each rule of
docs/providers.md names the test that checks it.
"""

from __future__ import annotations

from .answers import AnswerTests
from .attachments import AttachmentTests
from .conversations import ConversationTests
from .failures import FailureTests
from .schemas import SchemaTests
from .stopping import StoppingTests
from .tools import ToolTests

__all__ = ["ProviderContract"]


class ProviderContract(
    AnswerTests, SchemaTests, ToolTests, FailureTests, StoppingTests, ConversationTests, AttachmentTests
):
    """All tests. Subclass it under a name that begins with `Test`, and give it a `backend`.

    options: how the assistant is asked; a subclass for each way in which your provider can be asked.
    failures: the kinds of errors that the backend can produce with `Failure`.
    unsupported: replies that the backend cannot give, each with the reason. The tests that need them are skipped.
    settings: parameters of your API, by their names, that the tests may send.
    another_model: a second model that the backend accepts; empty if your provider has only one.
    time_limit: the seconds that one test may take.
    """
