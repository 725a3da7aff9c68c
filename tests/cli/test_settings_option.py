"""`-O key=value`: the API's own settings on the command line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asstproxy import Store
from asstproxy.core.events import Configured
from servers import AnthropicServer, GeminiServer, ResponsesServer

from .conftest import ASST, Asst
from .terminal import Terminal


def write_profiles(text: str) -> None:
    """Make this the file of profiles."""
    folder = Path(os.environ["ASST_CONFIG_DIR"])
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "config.toml").write_text(text)


def test_a_setting_is_sent_wins_over_the_profile_and_is_in_the_journal(asst: Asst, server: ResponsesServer) -> None:
    """Typed by the provider's table; the profile's other settings stay."""
    write_profiles('[profiles.gpt]\nsettings = { temperature = 1.0, top_p = 0.5, reasoning = { summary = "auto" } }\n')
    options = [
        "-O",
        "temperature=0.2",
        "--option",
        "reasoning_effort=low",
        "-O",
        "max_output_tokens=500",
        "-O",
        "top_p=null",
    ]
    ran = asst("ask", "-p", "gpt", *options, "hi")
    assert (ran.code, ran.err) == (0, "gpt · gpt-6-luna\n")
    sent = {"temperature": 0.2, "max_output_tokens": 500, "reasoning": {"summary": "auto", "effort": "low"}}
    body = server.requests[-1].json
    assert {name: body[name] for name in sent} == sent
    assert "top_p" not in body
    configured = [r.event for r in Store().records(Store().newest()) if isinstance(r.event, Configured)]
    assert [one.settings for one in configured] == [sent]


def test_the_next_command_has_the_profiles_settings_again(asst: Asst, server: ResponsesServer) -> None:
    """`-O` holds for one run, also when the session goes on."""
    asst("ask", "-p", "gpt", "-O", "temperature=0.2", "hi")
    assert asst("ask", "-c", "and?").code == 0
    assert "temperature" not in server.requests[-1].json


@pytest.mark.parametrize("value", ["temperature", "temperature=hot", "store=maybe", "metadata={", "temperature="])
def test_a_bad_value_is_wrong_usage(asst: Asst, server: ResponsesServer, value: str) -> None:
    """Exit 2, one line, no request, no session."""
    ran = asst("ask", "-p", "gpt", "-O", value, "hi")
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1), ran.err
    assert not server.requests
    assert not list(Store().ids())


def test_an_unknown_setting_passes_with_a_notice(asst: Asst, server: ResponsesServer) -> None:
    """It is sent as JSON or text; the server decides. One line says so, unless only errors are wanted."""
    ran = asst("ask", "-p", "gpt", "-q", "-O", "temprature=1", "hi")
    assert server.requests[-1].json["temprature"] == 1
    assert ran.code == 1  # this server refuses it
    assert len(ran.err.splitlines()) == 1
    assert "answered 400" in ran.err
    ran = asst("ask", "-p", "gpt", "-O", "temprature=1", "hi")
    assert "Did you mean temperature?" in ran.err.splitlines()[0]


@pytest.mark.parametrize("setting", ["model=gpt-6-luna", "stream=false", "input=other words"])
def test_what_asst_sends_itself_is_no_setting(asst: Asst, server: ResponsesServer, setting: str) -> None:
    """The session would say something else than what was asked: exit 2, one line with the way to do it, no request."""
    ran = asst("ask", "-p", "gpt", "-O", setting, "hi")
    assert (ran.code, ran.out, ran.err.count("\n"), server.requests) == (2, "", 1, [])
    assert "is not a setting of the API" in ran.err


def test_a_chat_keeps_its_settings_and_its_budget(server: ResponsesServer) -> None:
    """Also with another model of the profile; a message that could pass the limit isn't sent, and the chat goes on."""
    arguments = ["chat", "-p", "gpt", "-O", "temperature=0.3", "--max-cost", "0.01"]
    with Terminal([ASST, *arguments], 80) as terminal:
        terminal.wait_for("›")
        terminal.enter("/set top_p=high")
        terminal.wait_for("isn't a number")
        terminal.enter("/set reasoning_effort=low")
        terminal.wait_for('reasoning = {"effort":"low"}')
        terminal.enter("/model gpt-6.1-terra")
        terminal.wait_for("gpt · gpt-6.1-terra")
        terminal.enter("hi")
        terminal.wait_for("tokens")
        sent = server.requests[-1].json
        assert (sent["model"], sent["temperature"]) == ("gpt-6.1-terra", 0.3)
        assert sent["reasoning"] == {"effort": "low"}
        assert 1024 <= sent["max_output_tokens"] <= 2000  # what a cent buys of this model
        terminal.enter("x" * 30_000)
        terminal.wait_for("the limit is")
        assert len(server.requests) == 1
        terminal.enter("/model gpt-6-luna")
        terminal.enter("and now?")
        terminal.wait_until(lambda: len(server.requests) == 2)


def test_a_chat_warns_of_an_unknown_setting_once(server: ResponsesServer) -> None:
    """Not again when the model changes, nor with the next such setting."""
    with Terminal([ASST, "chat", "-p", "gpt", "-O", "first=1"], 100) as terminal:
        terminal.wait_for('"first" is sent as it is')
        terminal.enter("/set second=2")
        terminal.wait_for("second = 2")
        terminal.enter("/model gpt-6.1-terra")
        terminal.wait_for("gpt · gpt-6.1-terra")
        terminal.wait_for_prompt()
        text = terminal.text
    assert (text.count("as it is"), text.count("as they are")) == (2, 0), text


def test_each_api_has_its_own_names(asst: Asst, monkeypatch: pytest.MonkeyPatch) -> None:
    """`reasoning_effort` means the same everywhere, and stands where each API has it."""
    with GeminiServer() as gemini, AnthropicServer() as anthropic:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", gemini.url)
        monkeypatch.setenv("GEMINI_API_KEY", gemini.key)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", anthropic.base_url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", anthropic.key)
        assert asst("ask", "-p", "gemini", "-O", "reasoning_effort=low", "-O", "top_k=3", "hi").code == 0
        config = gemini.requests[-1].json["generationConfig"]
        assert config == {"thinkingConfig": {"thinkingLevel": "low"}, "topK": 3}
        ran = asst("ask", "-p", "anthropic", "-O", "reasoning_effort=low", "-O", "max_tokens=99", "hi")
        body = anthropic.requests[-1].json
        assert (body["output_config"], body["max_tokens"]) == ({"effort": "low"}, 99), ran.err
