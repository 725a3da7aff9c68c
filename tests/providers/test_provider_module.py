"""`asstproxy.provider` is all that a provider imports, and docs/providers.md describes it."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from asstproxy import Conversation, UserProxy, provider, testing
from asstproxy.testing import ProviderContract

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/providers.md").read_text(encoding="utf-8")


def imports(file: Path) -> Iterator[str]:
    """The modules of asst that a file imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from (name for name in names if name.partition(".")[0] == "asstproxy")


def section(title: str) -> str:
    """The text under a heading of the page, up to the next heading of the same level or above."""
    level = title.partition(" ")[0]
    _, found, rest = PAGE.partition(f"\n{title}\n")
    assert found, title
    return re.split(rf"\n#{{1,{len(level)}}} ", rest)[0]


@pytest.mark.parametrize(
    ("file", "allowed"),
    [
        ("tests/providers/chat_provider.py", {"asstproxy.provider"}),
        ("src/asstproxy/providers/chat_completions.py", {"asstproxy.provider"}),
        ("src/asstproxy/providers/assistants.py", {"asstproxy.provider"}),
        ("src/asstproxy/providers/assistants_server.py", {"asstproxy.provider"}),
        ("tests/providers/batch_provider.py", {"asstproxy.provider", "asstproxy.providers.chat_completions"}),
        (
            "tests/providers/test_worked_example.py",
            {"asstproxy", "asstproxy.provider", "asstproxy.providers.chat_completions", "asstproxy.testing"},
        ),
    ],
)
def test_a_provider_imports_only_what_is_public(file: str, allowed: set[str]) -> None:
    """The example, its test, and the providers that the guide quotes."""
    assert set(imports(ROOT / file)) == allowed


def test_every_name_is_there_and_documented() -> None:
    """Each name of `__all__` can be imported; classes and functions have a docstring."""
    for name in provider.__all__:
        value = getattr(provider, name)
        assert (not inspect.isclass(value) and not inspect.isfunction(value)) or value.__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = provider.Nothing


def test_the_page_lists_every_name() -> None:
    """The table of names is the list of the module, no more and no less."""
    table = section("### The names in `asstproxy.provider`")
    assert set(re.findall(r"`(\w+)`", table)) - {"asstproxy"} == set(provider.__all__)


def test_the_page_lists_every_reply() -> None:
    """The table of replies has all that a backend may be asked for."""
    table = section("### The replies of a backend")
    named = set(re.findall(r"^\| .*?`(\w+)\(", table, re.MULTILINE)) | set(re.findall(r"`(Filtered)\(", table))
    replies = {reply.__name__ for reply in testing.Reply.__args__}
    assert named == replies


def test_the_page_lists_every_kind_of_error() -> None:
    """The table of kinds has all that an `AssistantError` may have, and no other."""
    kinds = re.findall(r"^\| (`.*?`) \|", section("### The kinds of errors"), re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(kinds))) == sorted(get_args(provider.Kind))


def test_every_rule_has_its_test() -> None:
    """Each row of the rules names tests of the suite, and every test of the suite stands in a row."""
    rows = re.findall(r"^\| (.{20,}) \| (.*) \|$", section("## The rules"), re.MULTILINE)
    rules = [(rule, tests) for rule, tests in rows if "test_" in tests or tests == "every test"]
    assert len(rules) > 30
    named = {name for _, tests in rules for name in re.findall(r"`(test_\w+)`", tests)}
    assert named == {name for name in dir(ProviderContract) if name.startswith("test_")}


def test_the_page_quotes_code_that_is_tested() -> None:
    """Every quotation of a file is in that file, word for word."""
    quotations = re.findall(r"<!-- from (\S+) -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(quotations) > 5
    for file, code in quotations:
        assert code in (ROOT / file).read_text(encoding="utf-8"), f"{file}: {code}"


async def test_the_docstring_s_provider_works() -> None:
    """The shortest provider, which the module's docstring shows, holds a conversation."""
    found = re.search(r"```python\n(.*?)```", provider.__doc__ or "", re.DOTALL)
    assert found
    names: dict[str, Any] = {}
    exec(found[1], names)  # noqa: S102 - our own docstring
    conversation = Conversation(names["Parrot"](), UserProxy())
    assert (await conversation.exchange("hello")).event.text == "You wrote: hello"  # type: ignore[union-attr]
    await conversation.aclose()


def test_importing_it_loads_no_http_library() -> None:
    """A provider that has its own client, or imports the transport late, does not pay for ours."""
    code = """
import sys
from asstproxy import provider
assert "httpx2" not in sys.modules and "asstproxy.providers.transport.http" not in sys.modules
assert provider.HttpTransport
assert "asstproxy.providers.transport.http" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
