"""What a command imports decides how fast it starts: these are the walls."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

import asstproxy
from servers import ResponsesServer, Say
from source_tree import FILES, imports

SDKS = {"openai", "google.genai", "vertexai", "xllamacpp", "yfinance", "mcp"}
TEMPLATES = {"yaml", "tomli_w", "asstproxy.config.templates", "asstproxy.cli.templates"}
"""What only `-T` and `-P` need."""
UNUSED = {
    "puremagic",
    "asstproxy.files",
    "asstproxy.cli.attach",
    "asstproxy.tools",
    "asstproxy.config.vendors",
    "tomllib",
}
"""What only attachments, tools, vendors and a config file need."""
QUEUE = {"psycopg", "procrastinate"}
HEAVY = (
    SDKS | QUEUE | {"pydantic", "prompt_toolkit", "rich", "markdown_it", "jsonschema", "genai_prices", "referencing"}
)
SCHEMAS = {
    f"asstproxy.{name}"
    for name in (
        "core.answers",
        "core.answer_schema",
        "providers.answer_schema",
        "tools.schema_source",
        "tools.answer_type",
    )
}
"""What only an answer that must fit a schema needs."""
RARE = {
    f"asstproxy.{name}"
    for name in (
        "cli.completion",
        "cli.render.phase_text",
        "cli.render.retry_countdown",
        "core.near_names",
        "core.resume",
        "core.schema_walk",
        "providers.transport.failures",
        "store.recovery",
        "text.figures",
    )
}
"""What a new question that is answered does not need: Tab, typing errors, retries, failures, long waits, earlier sessions."""
MOST_OF_OURS = 97
"""Files of ours that `asst ask` into a pipe runs; raise it only with a reason that is worth half a millisecond a file."""


def _loaded(code: str, *argv: str) -> set[str]:
    """The modules in a fresh process after this code, which may end it."""
    program = (
        f"import atexit, sys; atexit.register(lambda: print('\\n' + ' '.join(sys.modules), file=sys.stderr)); {code}"
    )
    done = subprocess.run([sys.executable, "-c", program, *argv], capture_output=True, text=True, check=False)
    return set(done.stderr.splitlines()[-1].split())


@pytest.fixture(autouse=True)
def _answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`-p gpt` is answered by a server of ours."""
    with ResponsesServer() as server:
        monkeypatch.setenv("OPENAI_API_KEY", server.key)
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        server.brain = lambda _: [Say('{"name": "Ada", "age": 36}')]
        yield


MAIN = "from asstproxy.__main__ import main; main()"


@pytest.mark.parametrize(
    ("argv", "forbidden"),
    [
        (["--version"], HEAVY | {"typer", "asyncio", "msgspec", "httpx2", "platformdirs"}),
        (["--help"], HEAVY | {"asyncio", "msgspec", "httpx2"}),
        (["sessions", "list"], HEAVY | {"httpx2"}),
        (["script"], HEAVY | {"asyncio", "httpx2"}),
        (["ask", "-p", "gpt", "--schema", "name, age int", "hi"], HEAVY - {"jsonschema", "referencing"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_command_imports_only_what_it_needs(argv: list[str], forbidden: set[str]) -> None:
    """A command that writes into a pipe loads no SDK, no pydantic, no Rich and no prompt-toolkit."""
    assert not _loaded(MAIN, *argv) & forbidden


def test_one_question_runs_few_files() -> None:
    """`asst ask`, answered into a pipe, imports nothing that is rarely needed, and no more files of ours than it did."""
    loaded = _loaded(MAIN, "ask", "-p", "gpt", "Who?")
    ours = {name for name in loaded if name.partition(".")[0] == "asstproxy"}
    assert not loaded & (HEAVY | SCHEMAS | TEMPLATES | UNUSED | RARE)
    assert len(ours) <= MOST_OF_OURS


BEHIND_THE_PROMPT = (
    SDKS
    | QUEUE
    | {"pydantic", "httpx2", "httpcore2", "markdown_it", "pygments", "genai_prices", "asstproxy.tools"}
    | {
        f"asstproxy.cli.{name}"
        for name in ("approval_prompt", "chat.slash_commands", "render.guarded_view", "sessions")
    }
)
"""What a chat does not need before its prompt is on the screen."""


def test_prompt_of_a_chat_waits_for_little() -> None:
    """What `asst chat` imports for its prompt and its assistant has no HTTP client, no Markdown, no slash command."""
    chat = "import asstproxy.cli.chat.repl; from asstproxy.config.profiles import load_config"
    connect = "from asstproxy.providers.registry import connect; connect(load_config().profile('gpt'))"
    assert not _loaded(f"{chat}; {connect}") & BEHIND_THE_PROMPT


def test_import_of_the_library_is_free() -> None:
    """`import asstproxy` loads nothing but the package's own first file."""
    assert not {name for name in _loaded("import asstproxy") if name.startswith("asstproxy.core")}


def test_every_public_name_is_there() -> None:
    """Each name of `__all__` can be imported, and is documented."""
    for name in asstproxy.__all__:
        value = getattr(asstproxy, name)
        assert name == "__version__" or value.__doc__, name


def _offences(folder: str, forbidden: tuple[str, ...]) -> list[str]:
    return [
        f"{module} imports {name}"
        for module in FILES
        if module.startswith(f"asstproxy.{folder}.")
        for name in imports(module)
        if name.startswith(forbidden)
    ]


def test_providers_know_no_screen() -> None:
    """Nothing in providers imports a library of the command line (test_architecture holds our own floors)."""
    assert not _offences("providers", ("rich", "prompt_toolkit", "typer"))


def test_cli_knows_no_sdk() -> None:
    """Nothing in cli imports a provider's SDK or HTTP."""
    assert not _offences("cli", ("openai", "google", "httpx2", "xllamacpp"))
