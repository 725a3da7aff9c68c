"""`asst web --open` and `--no-open`: whether the browser is opened with the printed address."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from cli.in_process import asst_here
from servers import ResponsesServer

from .conftest import WebProcess

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the browser of the test is a shell script")


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The pipe into which the browser of this computer, a script, writes what it is opened with. There is no other browser."""
    pipe, script = tmp_path / "opened", tmp_path / "browser"
    os.mkfifo(pipe)
    script.write_text(f'#!/bin/sh\necho "$@" > {pipe}\n')
    script.chmod(0o700)
    monkeypatch.setenv("BROWSER", str(script))
    monkeypatch.setenv("PATH", str(tmp_path))
    return pipe


def _end(web: WebProcess) -> str:
    """End the server; what it has written to stderr."""
    web.process.terminate()
    return str(web.process.communicate(timeout=20)[1])


def test_the_browser_is_opened_with_the_address(provider: ResponsesServer, opened: Path) -> None:
    """The whole address with its token, once; nothing but the address is printed."""
    with WebProcess("-p", "gpt", open_browser=True) as web:
        assert opened.read_text() == f"{web.address}\n"
        assert _end(web) == ""


def test_no_open_opens_none(provider: ResponsesServer, opened: Path) -> None:
    """The address is printed, the page is served, and the browser isn't started."""
    with WebProcess("-p", "gpt") as web:
        assert web.client().get("/", params={"token": web.token}).status_code == 200
        reader = os.open(opened, os.O_RDONLY | os.O_NONBLOCK)
        try:
            assert _end(web) == ""
            assert os.read(reader, 1) == b""  # nobody has opened the other end
        finally:
            os.close(reader)


@pytest.mark.parametrize("broken", ["exit 1", None], ids=["it fails", "there is none"])
def test_a_browser_that_cannot_be_opened_is_one_line(
    provider: ResponsesServer, opened: Path, monkeypatch: pytest.MonkeyPatch, broken: str | None
) -> None:
    """The page is served all the same."""
    if broken is None:
        monkeypatch.setenv("BROWSER", str(opened.with_name("nothing")))
    else:
        opened.with_name("browser").write_text(f"#!/bin/sh\n{broken}\n")
    with WebProcess("-p", "gpt", open_browser=True) as web:
        assert web.process.stderr is not None
        assert web.process.stderr.readline() == "No browser could be opened. Open the address yourself.\n"
        assert web.client().get("/", params={"token": web.token}).status_code == 200
        assert _end(web) == ""


def test_without_its_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line with the command; nothing is printed that looks like an address."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    ran = asst_here("web", "--port", "0", "--no-open")
    assert ran.code != 0
    assert ran.out == ""
    assert ran.err.strip().splitlines() == ['asst: asst web needs more packages. Run: pip install "asstproxy[web]"']
