"""What somebody meets who tries asst for the first time, and what it answers to their slips."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from servers import Call, ResponsesServer, Say, Script

from .conftest import Asst
from .test_settings_option import write_profiles

TOOL = 'def price(symbol: str) -> str:\n    """The price of a share."""\n    return "4"\n'


def test_a_tool_that_nobody_could_be_asked_about_is_named(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """In a pipe: one line on stderr with the tool and the option that lets it run; with `--yes` there is none."""
    (tmp_path / "tools.py").write_text(TOOL)
    for option, said in (((), True), (("--yes",), False)):
        server.brain = Script([Call("price", {"symbol": "A"}), Call("price", {"symbol": "B"})], [Say("Done.")])
        ran = asst("ask", "-p", "gpt", "-t", str(tmp_path / "tools.py"), *option, "how much?")
        assert (ran.code, ran.out) == (0, "Done.\n")
        line = "asst: Not run: price, price. Nobody can be asked here. To run every tool without asking: --yes\n"
        assert (line in ran.err) is said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--resume"], "No such option: --resume. See: asst --help"),
        (
            ["-p", "gpt", "what is it?"],
            "No such option: -p. It follows the command: asst ask -p gpt 'what is it?'. See: asst --help",
        ),
        (["--model", "x"], "No such option: --model. It follows the command: asst ask --model x. See: asst --help"),
        (["ask", "--file", "x", "hi"], "No such option: --file. See: asst ask --help"),
        (["ask", "--tiemout", "3", "hi"], "No such option: --tiemout. Did you mean --timeout? See: asst ask --help"),
        (["ask", "--attachment", "x"], "No such option: --attachment. Did you mean --attach? See: asst ask --help"),
        (["ask", "--model"], "See: asst ask --help"),
        (["sessions", "list", "--limit"], "See: asst sessions list --help"),
        (["list"], "Did you mean 'sessions list'? See: asst --help"),
        (["logs"], "Did you mean 'sessions list'? See: asst --help"),
        (["export"], "Did you mean 'sessions export'? See: asst --help"),
        (["ask", "--json", "--events", "hi"], "--json and --events can't be combined. Give one of them."),
        (["completion"], "Did you mean '--install-completion'?"),
        (["keys"], "Did you mean 'help api-keys'? See: asst --help"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_slip_leads_to_the_right_help(asst: Asst, arguments: list[str], says: str) -> None:
    """Only what is near is suggested, and the help is that of the command; a command of a group is found without its group."""
    ran = asst(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err


def test_an_unknown_provider_is_answered_with_the_near_one(asst: Asst) -> None:
    """Not with a list of all vendors."""
    write_profiles('[profiles.mine]\nprovider = "gtp"\n\n[profiles.other]\nprovider = "acme-ai"\n')
    ran = asst("ask", "-p", "mine", "hi")
    assert (ran.code, ran.out) == (3, "")
    assert "the provider 'gtp', which is not installed" in ran.err
    assert 'Did you mean "gpt"?' in ran.err
    assert len(ran.err) < 300
    assert "pip install" in asst("ask", "-p", "other", "hi").err


def test_a_key_in_the_environment_is_seen(asst: Asst, server: ResponsesServer) -> None:
    """`asst doctor` says that the built-in profile uses the key."""
    ran = asst("doctor")
    assert "no profile uses it" not in ran.out
    assert "OPENAI_API_KEY from the environment" in ran.out


def test_a_data_folder_that_is_a_file_is_an_error(asst: Asst, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not a folder without sessions."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("ASST_DATA_DIR", str(tmp_path / "file"))
    ran = asst("sessions", "list")
    assert (ran.code, ran.out) == (5, "")
    assert "Not a directory. Fix its permissions, or set ASST_DATA_DIR." in ran.err


def test_a_batch_names_the_key_that_its_template_lacks(asst: Asst, server: ResponsesServer, tmp_path: Path) -> None:
    """The item has no `prompt` for `{{input}}`: a hint about the input, not about the command line."""
    (tmp_path / "in.csv").write_text("name\nRex\n")
    (tmp_path / "t.md").write_text("About {{name}}: {{input}}")
    ran = asst("batch", str(tmp_path / "in.csv"), "-o", str(tmp_path / "out"), "-p", "gpt", "-T", f"{tmp_path}/t.md")
    assert ran.code == 2
    assert 'Add "prompt" to each item' in ran.err
    assert "pipe it in" not in ran.err


def test_a_batch_that_has_nothing_left_to_ask_keeps_its_figures(
    asst: Asst, server: ResponsesServer, tmp_path: Path
) -> None:
    """The same command again says so, and `status` still has the tokens of the run that asked."""
    (tmp_path / "in.txt").write_text("one\ntwo\n")
    command = ("batch", str(tmp_path / "in.txt"), "--lines", "-o", str(tmp_path / "out"), "-p", "gpt")
    assert asst(*command).code == 0
    before = json.loads(asst("batch", "status", str(tmp_path / "out"), "--json").out)
    again = asst(*command)
    assert (again.code, again.out) == (0, "")
    assert "2 done · nothing left to ask" in again.err
    after = json.loads(asst("batch", "status", str(tmp_path / "out"), "--json").out)
    assert after["input_tokens"] > 0
    assert after == before


def test_a_saved_mcp_server_says_how_a_profile_gets_it(asst: Asst) -> None:
    """With its own name, to copy; one whose command doesn't exist fails in words."""
    ran = asst("mcp", "add", "clock", "--", "no-such-command", "x")
    assert 'mcp = ["clock"]' in ran.out
    tested = asst("mcp", "test")
    assert tested.code == 1
    assert "Errno" not in tested.out
    assert "no-such-command" in tested.out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '[profiles.x]\nprovider = "gpt"\nmodl = "gpt-4o"\n',
            'line 3: the key "modl" has no effect. Did you mean "model"?',
        ),
        (
            '[profiles.x]\nprovider = "gpt"\nbase_ulr = "http://x"\n',
            'line 3: the key "base_ulr" has no effect. Did you mean "base_url"?',
        ),
        (
            '[profiles.x]\nprovider = "gpt"\ntemperature = 1.0\n',
            'line 3: the key "temperature" has no effect. Write it into settings: settings = { temperature = … }',
        ),
        (
            '[profiles.x]\nprovider = "gpt"\nsettings = { verbositty = "low" }\n',
            'line 3: the key "verbositty" is sent as it is. Did you mean "verbosity"?',
        ),
        (
            'defalt = "x"\n[profiles.x]\nprovider = "gpt"\n',
            'line 1: the key "defalt" has no effect. Did you mean "default"?',
        ),
        (
            '[profiles.x]\nprovider = "gpt"\n[profile.y]\nprovider = "gpt"\n',
            'config.toml: the key "profile" has no effect. Did you mean "profiles"?',
        ),
    ],
    ids=["modl", "base_ulr", "temperature", "verbositty", "defalt", "profile"],
)
def test_a_slip_in_the_file_is_named(asst: Asst, server: ResponsesServer, text: str, says: str) -> None:
    """Once, with its line; a key that is near no other is left alone, and so are the keys of a provider."""
    write_profiles(text)
    ran = asst("ask", "-p", "x", "hi")
    assert ran.err.count(says) == 1
    write_profiles('acme = 1\n[profiles.x]\nprovider = "gpt"\nnote = "mine"\nhistory = "client"\npoll = 1.0\n')
    assert asst("ask", "-p", "x", "hi").err == "x · gpt-6-luna\n"
