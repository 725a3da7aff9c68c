"""What a library, a provider, a tool or a server of tools lets fall when it breaks holds no key."""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

import pytest

from asstproxy import AssistantError, AsstError, Conversation, Profile, UserProxy, start_conversation
from asstproxy.core.events import ToolFinished
from asstproxy.core.redact import redact
from asstproxy.providers import connect
from cli.setup.conftest import Asst, Ran
from servers import Call, ResponsesServer, Say

from .echoing import EchoingServer

KEY = "sk-CRASHED-zyxwvutsrqponml-0123"
PASSWORD = "CRASHED-password"
FAKE = Path(__file__).parents[2] / "tools" / "mcp_fake.py"
BROKEN_PROVIDER = """
import os
from asstproxy.core.events import Started

class Broken:
    provider, model = "broken", "m"

    async def start_processing(self, turn):
        if os.environ["BREAK"] == "at once":
            raise RuntimeError("refused for " + os.environ["SOME_API_KEY"])
        yield Started(provider="broken", model="m")
        try:
            raise KeyError(os.environ["SOME_API_KEY"])
        except KeyError as error:
            raise ValueError("http://me:{password}@host said " + os.environ["SOME_API_KEY"]) from error

    async def submit_tool_outputs(self, results):
        yield

    async def aclose(self):
        if os.environ["BREAK"] == "at the end":
            raise OSError(5, os.environ["SOME_API_KEY"])

def connect(profile, *, client=None):
    if os.environ["BREAK"] == "when made":
        raise RuntimeError("refused for " + os.environ["SOME_API_KEY"])
    return Broken()
"""
TOOLS = """
import os, sys, threading

KEY = os.environ["SOME_API_KEY"]

def returns() -> dict:
    "Show the environment."
    return dict(os.environ)

def raises() -> str:
    "Fail."
    raise RuntimeError("denied: " + KEY)

def prints() -> str:
    "Print."
    print("using", KEY)
    print("using", KEY, file=sys.stderr)
    return "done"

def threads() -> str:
    "Let a thread die."
    def die():
        raise RuntimeError("in a thread: " + KEY)
    thread = threading.Thread(target=die)
    thread.start()
    thread.join()
    return "done"
"""


def _clean(ran: Ran) -> None:
    assert "CRASHED" not in ran.all, ran.all


def _no_file_has_it(folder: Path) -> None:
    for file in folder.rglob("*"):
        assert not file.is_file() or file.name == "config.toml" or b"CRASHED" not in file.read_bytes(), file


@pytest.mark.parametrize("when", ["when made", "at once", "later", "at the end"])
def test_a_provider_of_somebody_else_that_breaks(
    asst: Asst, tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Its exception is told, in one line and with its traceback, without the key that the environment names as one."""
    site = tmp_path / "site"
    (site / "broken-1.0.dist-info").mkdir(parents=True)
    (site / "broken-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (site / "broken-1.0.dist-info" / "entry_points.txt").write_text("[asstproxy.providers]\nbroken = broken:connect\n")
    (site / "broken.py").write_text(BROKEN_PROVIDER.replace("{password}", PASSWORD))
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("SOME_API_KEY", KEY)
    monkeypatch.setenv("BREAK", when)
    config.parent.mkdir()
    config.write_text('[profiles.b]\nprovider = "broken"\n')
    for debug in ([], ["--debug"]):
        for form in ([], ["--json"], ["--events"]):
            ran = asst("ask", "-p", "b", *form, *debug, "hi")
            assert ran.code != 0
            assert "[key]" in ran.all or when == "at the end"
            _clean(ran)
    monkeypatch.delenv("PYTHONPATH")
    for file in tmp_path.joinpath("asst-data").rglob("*"):
        assert not file.is_file() or b"CRASHED" not in file.read_bytes()


@pytest.mark.parametrize("tool", ["returns", "raises", "prints", "threads"])
def test_a_tool_that_tells_the_key(asst: Asst, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str) -> None:
    """Neither the assistant, nor the screen, nor the journal gets it; whether it returns, raises or prints it."""
    (tmp_path / "leaky.py").write_text(TOOLS)
    with ResponsesServer([[Call(tool)], [Say("so")]], key=KEY) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("SOME_API_KEY", KEY)
        ran = asst("ask", "-p", "gpt", "-t", str(tmp_path / "leaky.py"), "--yes", "--events", "hi")
        assert ran.code == 0, ran.all
        _clean(ran)
        assert KEY not in server.requests[-1].body.decode()
        assert "function_call_output" in server.requests[-1].body.decode()
        _clean(asst("tools", "run", f"{tmp_path / 'leaky.py'}:{tool}"))
    _no_file_has_it(tmp_path / "asst-data")


async def test_a_tool_of_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that was handed over is no exception; what is no secret stays as it is."""
    with ResponsesServer([[Call("shell")], [Say("so")]], key=KEY) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)

        def shell() -> str:
            """Show what a shell shows."""
            print(KEY)  # noqa: T201 - what a tool prints is kept
            return f"OPENAI_API_KEY={KEY}\nHOME=/home/me\nssh://git@host/x https://me:{PASSWORD}@host/y"

        user = start_conversation("gpt", tools=[shell])
        records = [record async for record in user.stream("hi")]
        await user.aclose()
    finished = next(record.event for record in records if isinstance(record.event, ToolFinished))
    assert finished.result.output == "OPENAI_API_KEY=[key]\nHOME=/home/me\nssh://git@host/x https://host/y"
    assert finished.printed == "[key]\n"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DEPLOY_SECRET", "first-line-0123\nsecond-line-4567", ["first-line-0123", "second-line-4567"]),
        ("DB_PASSWORD", 'with"quote\\and-more', ['with\\"quote', "and-more"]),
        *(
            (name, "s3cret-0123456", ["s3cret-0123456"])
            for name in ("GITHUB_PAT", "GPG_PASSPHRASE", "API_KEYS", "DB_PASS")
        ),
        *(
            (name, "s3cret-0123456", ["s3cret-0123456"])
            for name in ("DB_PWD", "AWS_CREDENTIALS", "NPM_AUTH", "PGPASSWORD")
        ),
    ],
)
def test_a_tool_that_tells_the_environment(
    name: str, value: str, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is called and however it stands in JSON: what the environment calls a secret is taken out."""
    monkeypatch.setenv(name, value)
    shown = redact(json.dumps({name: os.environ[name]}))
    assert name in shown
    assert not [one for one in told if one in shown]


def test_a_word_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """What developers call their passwords at home must not spoil every text that has the word; nor are places secrets."""
    monkeypatch.setenv("DB_PASSWORD", "password")
    monkeypatch.setenv("POSTGRES_PASSWORD", "postgres")
    monkeypatch.setenv("OLDPWD", "/home/somebody/else")
    text = "def login(user, password): connect('postgresql://…')  # /home/somebody/else"
    assert redact(text) == text


@pytest.mark.parametrize("key", [f"{KEY}\n", f"{KEY}\r\nX-Evil: 1", f"“{KEY}”", f"{KEY}\0", f" {KEY} {KEY}"])
@pytest.mark.parametrize("way", ["profile", "sdk", "client"])
async def test_a_key_that_no_header_can_hold(key: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a line end, a NUL, a blank or a quote that a word processor made: what is wrong is said, without it."""
    openai = pytest.importorskip("openai")
    if "\0" in key and way != "client":
        pytest.skip("no variable holds it")
    with ResponsesServer(key=KEY) as server:
        async with openai.AsyncOpenAI(base_url=server.base_url, api_key=key) as client:
            monkeypatch.setenv("ODD_ONE", key.replace("\0", ""))
            options = {"base_url": server.base_url, "api_key_env": "ODD_ONE"} | (
                {"transport": way} if way == "sdk" else {}
            )
            user, failed = UserProxy(), None
            try:
                profile = Profile("p", "gpt", options=options)
                Conversation(connect(profile, client=client if way == "client" else None), user)
                user.send_user_message("hi")
                try:
                    told = await user.get_assistant_message()  # blanks around it are taken away
                finally:
                    await user.aclose()
            except AsstError as error:
                failed, told = error, "".join(traceback.format_exception(error)) + error.hint
        await server.eventually(lambda server: server.open_connections == 0)
        assert "x-evil" not in {name for request in server.requests for name in request.headers}
    assert failed is None or len(str(failed).splitlines()) == 1
    assert failed is None or "key" in f"{failed} {failed.hint}"  # whose fault it is
    assert "CRASHED" not in told


async def test_headers_of_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program's own client may send more secrets than its key: they are none of an error's, either."""
    openai = pytest.importorskip("openai")
    with EchoingServer("an error's message") as server:
        client = openai.AsyncOpenAI(
            base_url=f"{server.url}/v1", api_key="other-0123456789", default_headers={"Authorization": f"Bearer {KEY}"}
        )
        user = UserProxy()
        Conversation(connect(Profile("p", "gpt"), client=client), user)
        user.send_user_message("hi")
        with pytest.raises(AssistantError) as caught:
            await user.get_assistant_message()
        await user.aclose()
        await client.close()
        assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    assert "[key]" in str(caught.value)
    assert KEY not in str(caught.value)


def test_openai_log(asst: Asst, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`OPENAI_LOG=debug`, with which the SDK tells all that it does, tells no key."""
    pytest.importorskip("openai")
    config.parent.mkdir()
    config.write_text('[profiles.gpt]\ntransport = "sdk"\n')
    with EchoingServer("a header") as server:
        host = server.url.removeprefix("http://")
        for name, value in (
            ("OPENAI_BASE_URL", f"http://{host}/v1"),
            ("OPENAI_API_KEY", KEY),
            ("OPENAI_LOG", "debug"),
        ):
            monkeypatch.setenv(name, value)
        ran = asst("ask", "-p", "gpt", "--debug", "hi")
        assert server.requests
    assert "HTTP Request" in ran.err
    _clean(ran)
    _no_file_has_it(tmp_path)


@pytest.mark.parametrize("url", [False, True], ids=["process", "http"])
def test_secrets_of_a_server_of_tools(
    asst: Asst, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: bool
) -> None:
    """What its variables and its headers hold, be it written in the profile or taken from elsewhere."""
    pytest.importorskip("mcp")
    monkeypatch.setenv("TIME_ONE", KEY)
    config.parent.mkdir()
    config.touch(mode=0o600)
    with ResponsesServer([[Call("tell_env")], [Say("so")]]) as openai, EchoingServer("plain text") as wiki:
        monkeypatch.setenv("OPENAI_BASE_URL", openai.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", openai.key)
        if url:
            how = f'url = "{wiki.url}/mcp"\nheaders = {{ Authorization = "Bearer ${{TIME_ONE}}", X-Token = "tok-{KEY}" }}\n'
        else:
            how = (
                f'command = "{sys.executable}"\nargs = ["{FAKE}", "normal"]\n'
                f'env = {{ ONE = "${{TIME_ONE}}", A_TOKEN = "tok-{KEY}" }}\n'
            )
        config.write_text(f"[profiles.gpt.mcp.tell]\n{how}")
        ran = asst("ask", "-p", "gpt", "--yes", "--events", "--debug", "hi")
        if url:
            assert f"Bearer {KEY}" in {request.headers["authorization"] for request in wiki.requests}
        else:
            assert ran.code == 0, ran.all
            assert KEY not in openai.requests[-1].body.decode()
            assert "[key]" in openai.requests[-1].body.decode()
        _clean(ran)
        for command in ["setup", "show", "gpt"], ["setup", "show", "gpt", "--json"], ["tools", "list", "-p", "gpt"]:
            _clean(asst(*command))
        _clean(asst("doctor"))
    _no_file_has_it(tmp_path)
    assert os.environ["TIME_ONE"] == KEY
