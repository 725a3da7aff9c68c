"""`asst setup assistants` creates the assistant at the server, updates it, and deletes it; what is wrong is one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from servers import AssistantsServer, Call, Cut, Fail, Say, Status

from .conftest import Asst, profiles

NO_V1 = "This server doesn't seem to have the Assistants API. Check base_url"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AssistantsServer]:
    """A server with assistants, as open-assistant-api is; its key is set."""
    with AssistantsServer(oaa=True) as one:
        monkeypatch.setenv("ASSISTANTS_API_KEY", one.key)
        yield one


def set_up(asst: Asst, server: AssistantsServer, *more: str) -> str:
    """Set up the stock adviser; the id of its assistant."""
    ran = asst("setup", "assistants", "--base-url", server.base_url, "--preset", "stocks", "-m", "gpt-6-luna", *more)
    assert ran.code == 0, ran.err
    (number,) = set(server.assistants) - {server.assistant}
    return number


def test_it_creates_the_assistant(asst: Asst, server: AssistantsServer, config: Path) -> None:
    """With the instructions, the model and both stock functions; its id is in the profile, and it answers with its tools."""
    server.brain = lambda body: (
        [Say("187.")] if "tool" in str(body["messages"][-1]) else [Call("get_stock_price", {"symbol": "AAPL"})]
    )
    number = set_up(asst, server)
    made = server.assistants[number]
    assert made["model"] == "gpt-6-luna"
    assert "stock market" in made["instructions"]
    described = {tool["function"]["name"]: tool["function"] for tool in made["tools"]}
    assert set(described) == {"get_stock_price", "buy_or_sell"}
    assert described["get_stock_price"]["parameters"]["required"] == ["symbol"]
    assert profiles(config)["assistants"]["assistant_id"] == number
    ran = asst("ask", "--yes", "What is the price of AAPL?")
    assert (ran.code, ran.out) == (0, "187.\n"), ran.err


def test_a_second_run_updates_it(asst: Asst, server: AssistantsServer, config: Path) -> None:
    """The same assistant has the new instructions and model, and no tools any more."""
    number = set_up(asst, server)
    ran = asst("setup", "assistants", "-m", "gpt-6.1-terra", "-s", "Be kind.", "--no-tools", "--yes")
    assert f"Updated the assistant {number}." in ran.err
    made = server.assistants[number]
    assert (made["model"], made["instructions"], made["tools"]) == ("gpt-6.1-terra", "Be kind.", [])
    assert len(server.assistants) == 2
    assert profiles(config)["assistants"]["assistant_id"] == number


def test_one_that_exists(asst: Asst, server: AssistantsServer, config: Path) -> None:
    """`--assistant-id` takes it as it is: asst neither changes nor deletes what it did not create."""
    before = dict(server.assistants[server.assistant])
    ran = asst("setup", "assistants", "--base-url", server.base_url, "--assistant-id", server.assistant, "-s", "Hi.")
    assert ran.code == 0, ran.err
    assert profiles(config)["assistants"]["assistant_id"] == server.assistant
    assert asst("ask", "hello").out == "You said: hello\n"
    assert "did not create it" in asst("setup", "remove", "assistants", "--remote", "--yes").err
    assert server.assistants == {server.assistant: before}


def test_remove(asst: Asst, server: AssistantsServer, config: Path) -> None:
    """With `--remote` the assistant is deleted, too; without it, asst says that it stays."""
    number = set_up(asst, server)
    ran = asst("setup", "remove", "assistants", "--yes")
    assert f"{number} stays at its server. To delete it, too: --remote" in ran.err
    assert number in server.assistants
    assert "assistants" not in profiles(config)
    again = asst("setup", "assistants", "--base-url", server.base_url, "--assistant-id", number, "-m", "gpt-6-luna")
    assert again.code == 0, again.err
    assert f"Deleted the assistant {number}." in asst("setup", "remove", "assistants", "--remote", "--yes").err
    assert number not in server.assistants


def test_remove_what_is_gone(asst: Asst, server: AssistantsServer, config: Path) -> None:
    """An assistant that the server no longer has does not keep the profile; a server that refuses does."""
    number = set_up(asst, server)
    server.faults.add(Status(500, on="DELETE", first=1))
    assert asst("setup", "remove", "assistants", "--remote", "--yes").code == 3
    assert "assistants" in profiles(config)
    del server.assistants[number]
    ran = asst("setup", "remove", "assistants", "--remote", "--yes")
    assert (ran.code, f"The server no longer has {number}." in ran.err) == (0, True)
    assert "assistants" not in profiles(config)


def test_remote_where_nothing_is(asst: Asst, config: Path) -> None:
    """Another provider's profile has nothing at its server."""
    assert asst("setup", "gpt", "--no-check", "--yes").code == 0
    ran = asst("setup", "remove", "gpt", "--remote", "--yes")
    assert (ran.code, "has nothing at its server" in ran.complaint) == (2, True)
    assert "gpt" in profiles(config)


def test_a_profile_that_is_not_saved(asst: Asst, server: AssistantsServer, config: Path) -> None:
    """The assistant that was created for it is deleted again."""
    config.parent.mkdir(parents=True, exist_ok=True)
    config.mkdir()  # the file can't be written
    ran = asst("setup", "assistants", "--base-url", server.base_url, "-m", "gpt-6-luna", "--yes")
    assert ran.code != 0
    assert set(server.assistants) == {server.assistant}


def test_no_model(asst: Asst, server: AssistantsServer) -> None:
    """An assistant needs one; nothing is created without."""
    server.models = ()
    ran = asst("setup", "assistants", "--base-url", server.base_url, "--yes")
    assert (ran.code, "--model NAME" in ran.complaint) == (3, True)
    assert set(server.assistants) == {server.assistant}


def test_no_base_url(asst: Asst) -> None:
    """There is no usual address."""
    ran = asst("setup", "assistants", "--yes")
    assert (ran.code, "--base-url URL" in ran.complaint) == (3, True)


@pytest.mark.parametrize("path", ["", "/v1", "/api"])
def test_wrong_address(asst: Asst, server: AssistantsServer, path: str, config: Path) -> None:
    """One line says what may be missing."""
    ran = asst("setup", "assistants", "--base-url", server.url + path, "-m", "gpt-6-luna", "--yes")
    assert ran.code == 3
    assert NO_V1 in ran.complaint
    assert "/api/v1" in ran.complaint
    assert not config.exists()


def test_keys(asst: Asst, server: AssistantsServer, monkeypatch: pytest.MonkeyPatch, credentials: Path) -> None:
    """No key, a wrong key: the line names the variable, in set-up and in use; one from stdin is saved under its name."""
    for given in ("", "sk-wrong-0123456789"):
        monkeypatch.setenv("ASSISTANTS_API_KEY", given)
        ran = asst("setup", "assistants", "--base-url", server.base_url, "-m", "gpt-6-luna", "--yes")
        assert ran.code == 3
        assert "ASSISTANTS_API_KEY" in ran.complaint
    monkeypatch.delenv("ASSISTANTS_API_KEY")
    words = ("setup", "assistants", "--base-url", server.base_url, "-m", "gpt-6-luna", "--key-stdin", "--yes")
    assert asst(*words, stdin=server.key).code == 0
    assert "ASSISTANTS_API_KEY" in credentials.read_text()
    assert asst("ask", "hello").code == 0
    monkeypatch.setenv("ASSISTANTS_API_KEY", "sk-wrong-0123456789")
    assert "ASSISTANTS_API_KEY" in asst("ask", "hello").complaint


def test_a_server_without_keys(asst: Asst) -> None:
    """None is asked for, none is missing."""
    with AssistantsServer(key="") as server:
        assert asst("setup", "assistants", "--base-url", server.base_url, "-m", "gpt-6-luna", "--yes").code == 0
        assert asst("ask", "hello").out == "You said: hello\n"
        assert asst("setup", "list").out.splitlines()[-1].split()[-2:] == ["not", "needed"]
        assert "authorization" not in server.requests[-1].headers


def test_wrong_assistant(asst: Asst, server: AssistantsServer, config: Path) -> None:
    """One that the server does not have, in set-up and in use; a profile without one names the command."""
    given = ("setup", "assistants", "--base-url", server.base_url, "--yes")
    ran = asst(*given, "--assistant-id", "asst_gone")
    assert (ran.code, "Set assistant_id in the profile" in ran.complaint) == (3, True)
    number = set_up(asst, server)
    del server.assistants[number]
    ran = asst("ask", "hello")
    assert (ran.code, "Set assistant_id in the profile" in ran.complaint) == (1, True)
    config.write_text(f'[profiles.bare]\nprovider = "assistants"\nbase_url = "{server.base_url}"\n')
    ran = asst("ask", "-p", "bare", "hello")
    assert (ran.code, "asst setup assistants --name bare" in ran.complaint) == (3, True)


def test_wrong_model(asst: Asst, server: AssistantsServer) -> None:
    """Set-up knows the models; a run with a wrong one fails later, with the words of the server's own server."""
    ran = asst("setup", "assistants", "--base-url", server.base_url, "-m", "gpt-7", "--yes")
    assert (ran.code, 'no model "gpt-7"' in ran.complaint) == (3, True)
    set_up(asst, server)
    server.brain = lambda _: [Fail("server_error", "Error code: 404 - {'error': {'message': 'no such model'}}")]
    ran = asst("ask", "-m", "gpt-7", "hello")
    assert (ran.code, "no such model" in ran.complaint, "Check the model's name" in ran.complaint) == (1, True, True)


@pytest.mark.parametrize("host", ["api.openai.com/v1", "me.openai.azure.com/openai", "me.cognitiveservices.azure.com"])
def test_those_who_shut_it_down(asst: Asst, host: str, config: Path) -> None:
    """Nothing is sent there; the command in the hint moves the profile, with its instructions and tools, to `gpt`."""
    ran = asst("setup", "assistants", "--base-url", f"https://{host}", "-m", "gpt-6-luna", "--no-check", "--yes")
    assert (ran.code, "2026-08-26" in ran.complaint) == (3, True)
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(
        f'[profiles.old]\nprovider = "assistants"\nbase_url = "https://{host}"\nassistant_id = "asst_1"\n'
        'instructions = "Be kind."\ntools = ["stocks"]\n'
    )
    ran = asst("ask", "-p", "old", "hello")
    assert (ran.code, "2026-08-26" in ran.complaint) == (3, True)
    command = ran.complaint[ran.complaint.index("asst setup ") :].split()
    assert command == ["asst", "setup", "gpt", "--name", "old", "--move"]
    moved = asst(*command[1:], "--no-check", "--yes")
    assert moved.code == 0, moved.err
    assert profiles(config)["old"] == {"provider": "gpt", "instructions": "Be kind.", "tools": ["stocks"]}
    assert asst("setup", "gemini", "--name", "old", "--no-check", "--yes").code == 2  # only if it is meant
    assert (
        "No such profile: 'older'."
        in asst("setup", "gpt", "--name", "older", "--move", "--no-check", "--yes").complaint
    )
    assert "older" not in profiles(config)


@pytest.mark.parametrize("provider", ["assistants", "chat-completions"])
def test_a_provider_without_a_profile_names_its_set_up(asst: Asst, provider: str) -> None:
    """It needs an address of the person's, so it has no built-in profile."""
    ran = asst("ask", "-p", provider, "hello")
    assert (ran.code, ran.complaint) == (3, f"asst: No such profile: '{provider}'. Set it up: asst setup {provider}")


def test_a_set_up_that_is_cut(asst: Asst, server: AssistantsServer, config: Path) -> None:
    """Nothing is saved when the server does not say what it created."""
    server.faults.add(Cut(on="POST /api/v1/assistants$"))
    ran = asst("setup", "assistants", "--base-url", server.base_url, "-m", "gpt-6-luna", "--yes")
    assert ran.code == 3
    assert ran.complaint
    assert not config.exists()
