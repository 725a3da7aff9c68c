"""All the tools of a conversation, from a profile, from the person and from MCP servers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from asstproxy import NotSetUpError, Profile, UsageError
from asstproxy.config.profiles import config_file, load_config
from asstproxy.tools.toolbox import open_toolbox


async def test_the_tools_of_the_profile_come_first() -> None:
    """Then those that the person named; each once, however often it is named."""
    profile = Profile("work", "scripted", tools=("stocks",))
    box = await open_toolbox(profile, ["shutil:which", "stocks", "asstproxy.tools.stocks:buy_or_sell"])
    assert [tool.name for tool in box.tools] == ["get_stock_price", "buy_or_sell", "which"]
    assert box.notices == []
    assert box.tool("which").source == "shutil:which"
    with pytest.raises(UsageError, match="No such tool: 'wich'") as caught:
        box.tool("wich")
    assert caught.value.hint == "Did you mean 'which'?"
    await box.aclose()


async def test_whose_fault_a_wrong_name_is() -> None:
    """Exit code 2 for what the person typed, 3 for what the profile says, with the key."""
    with pytest.raises(UsageError, match="No such module: 'gone'"):
        await open_toolbox(None, ["gone"])
    with pytest.raises(NotSetUpError, match=r"profiles\.work\.tools: No such module: 'gone'"):
        await open_toolbox(Profile("work", "scripted", tools=("gone",)))


async def test_a_profile_reads_no_code_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the person names on the command line may lie there."""
    (tmp_path / "lies_here.py").write_text("def f() -> None: ...\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(NotSetUpError):
        await open_toolbox(Profile("work", "scripted", tools=("lies_here",)))
    assert [tool.name for tool in (await open_toolbox(None, ["lies_here"])).tools] == ["f"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", r"profiles\.work\.mcp\.s needs either a command or a url"),
        ('command = "x"\nurl = "http://x"', "needs either a command or a url"),
        ('command = "x"\nargs = "y"', r"expected a list, found text, at profiles\.work\.mcp\[\.\.\.\]\.args"),
        ('command = "x"\ncomand = "y"', r'unknown key "comand", at profiles\.work\.mcp'),
        ('command = "x"\nenv = { TOKEN = "${GONE_TOKEN}" }', "GONE_TOKEN is not set"),
    ],
)
async def test_an_mcp_server_that_is_written_wrongly(lines: str, message: str) -> None:
    """The key is named; nothing is started."""
    config_file().parent.mkdir(parents=True, exist_ok=True)
    config_file().write_text(f'[profiles.work]\nprovider = "scripted"\n[profiles.work.mcp.s]\n{lines}\n')
    with pytest.raises(NotSetUpError, match=message):
        await open_toolbox(load_config().profile("work"))


async def test_without_the_sdk_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """And without MCP nothing of it is needed."""
    profile = Profile("work", "scripted", options={"mcp": {"s": {"command": "x"}}})
    monkeypatch.setitem(sys.modules, "mcp", None)
    with pytest.raises(NotSetUpError, match="need the package mcp") as caught:
        await open_toolbox(profile)
    assert "pip install 'asstproxy[mcp]'" in caught.value.hint
    assert (await open_toolbox(profile, mcp=False)).tools == []
