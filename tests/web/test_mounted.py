"""The page in another program's ASGI application."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from asstproxy import Store, tool
from servers import Call, ResponsesServer, Say, Script

pytest.importorskip("uvicorn", reason="the extra web isn't installed")
import httpx2
from starlette.applications import Starlette
from starlette.routing import Mount

from asstproxy.web import app


async def test_it_works_below_a_prefix_with_the_programs_tools(provider: ResponsesServer) -> None:
    """Files, requests and the way in keep the prefix; the profile is the program's, and so is the tool, which waits for a yes."""
    ran = []

    @tool(approval="ask")
    def note(text: str) -> str:
        """Write it down."""
        ran.append(text)
        return "done"

    provider.brain = Script([Call("note", {"text": "milk"})], [Say("Noted.")])
    page = app(["gpt"], tools=[note], token="secret")
    host = Starlette(routes=[Mount("/chat", page)])
    origin = "http://127.0.0.1"
    transport = httpx2.ASGITransport(host)
    async with httpx2.AsyncClient(transport=transport, base_url=origin) as client:
        assert (await client.get("/chat/")).status_code == 401
        entered = await client.get("/chat/", params={"token": "secret"})
        assert 'content="0;url=/chat/"' in entered.text
        assert (await client.get("/chat/style.css")).headers["content-type"].startswith("text/css")
        assert [row["name"] for row in (await client.get("/chat/api/profiles")).json()] == ["gpt"]
        headers = {"origin": origin, "x-asst": "1"}
        sent = await client.post("/chat/api/messages", json={"text": "note milk", "profile": "gpt"}, headers=headers)
        session = f"/chat/api/sessions/{sent.json()['session']}"
        asked = (await _when(client, session, lambda status: status.get("asked")))["asked"]
        assert (asked[0]["name"], ran) == ("note", [])
        answers = {asked[0]["id"]: {"answer": "yes"}}
        assert (await client.post(f"{session}/approval", json={"answers": answers}, headers=headers)).status_code == 200
        await _when(client, session, lambda status: not status["busy"])
    await page.aclose()
    assert ran == ["milk"]
    assert Store().transcript(sent.json()["session"]).exchanges[0].answer == "Noted."


async def _when(client: httpx2.AsyncClient, session: str, so: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The status of the session as soon as it is so."""
    async with asyncio.timeout(20):
        while True:
            status: dict[str, Any] = (await client.get(session)).json()["status"]
            if so(status):
                return status
            await asyncio.sleep(0.01)


def test_the_name_is_the_application() -> None:
    """`from asstproxy.web import app` is the function, however often it is imported, and whatever was imported before."""
    code = "import asstproxy.web.http_server; from asstproxy.web import app; from asstproxy.web import app; app()"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
