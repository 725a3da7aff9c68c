"""What a command imports decides how fast it starts: these are the walls."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import asstproxy

ROOT = Path(asstproxy.__file__).parent
SDKS = {"openai", "google.genai", "vertexai", "xllamacpp", "yfinance", "mcp"}
HEAVY = SDKS | {"pydantic", "prompt_toolkit", "rich", "markdown_it"}


def _loaded(code: str, *argv: str) -> set[str]:
    """The modules in a fresh process after this code, which may end it."""
    program = (
        f"import atexit, sys; atexit.register(lambda: print('\\n' + ' '.join(sys.modules), file=sys.stderr)); {code}"
    )
    done = subprocess.run([sys.executable, "-c", program, *argv], capture_output=True, text=True, check=False)
    return set(done.stderr.splitlines()[-1].split())


MAIN = "from asstproxy.__main__ import main; main()"


@pytest.mark.parametrize(
    ("argv", "forbidden"),
    [
        (["--version"], HEAVY | {"typer", "asyncio", "msgspec", "httpx2", "platformdirs"}),
        (["--help"], HEAVY | {"asyncio", "msgspec", "httpx2"}),
        (["sessions", "list"], HEAVY | {"httpx2"}),
        (["script"], HEAVY | {"asyncio", "httpx2"}),
        (["ask", "-p", "gpt", "hi"], HEAVY),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_command_imports_only_what_it_needs(
    argv: list[str], forbidden: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that writes into a pipe loads no SDK, no pydantic, no Rich and no prompt-toolkit."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert not _loaded(MAIN, *argv) & forbidden


def test_import_of_the_library_is_free() -> None:
    """`import asstproxy` loads nothing but the package's own first file."""
    assert not {name for name in _loaded("import asstproxy") if name.startswith("asstproxy.core")}


def test_every_public_name_is_there() -> None:
    """Each name of `__all__` can be imported, and is documented."""
    for name in asstproxy.__all__:
        value = getattr(asstproxy, name)
        assert name == "__version__" or value.__doc__, name


def _imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it, as an absolute name."""
    package = ["asstproxy", *path.relative_to(ROOT).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            yield ".".join([*base, *([node.module] if node.module else [])])


def _offences(folder: str, forbidden: tuple[str, ...]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name in _imports(path)
        if name.startswith(forbidden)
    ]


def test_core_knows_no_screen_and_no_provider() -> None:
    """Nothing in core imports a provider, the command line, or a library of theirs."""
    assert not _offences(
        "core",
        ("asstproxy.cli", "asstproxy.providers", "rich", "prompt_toolkit", "typer", "httpx2", "openai", "google"),
    )


def test_providers_know_no_screen() -> None:
    """Nothing in providers imports the command line."""
    assert not _offences("providers", ("asstproxy.cli", "rich", "prompt_toolkit", "typer"))


def test_cli_knows_no_sdk() -> None:
    """Nothing in cli imports a provider's SDK or HTTP."""
    assert not _offences("cli", ("openai", "google", "httpx2", "xllamacpp"))


def test_no_file_is_long() -> None:
    """One concept per file: 300 lines at the most."""
    long = {str(p.relative_to(ROOT)): n for p in ROOT.rglob("*.py") if (n := len(p.read_text().splitlines())) > 300}
    assert not long
