"""Application default credentials: fetched and renewed beside the conversation, and explained when they are missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asstproxy.config.profiles import Profile
from asstproxy.core.errors import NotSetUpError
from asstproxy.core.events import ErrorOccurred
from asstproxy.core.script import State
from asstproxy.providers import connect
from core.stage import Stage
from servers import GeminiServer, InteractionsServer, Reply, Request, Server, Status

pytest.importorskip("google.auth")
pytest.importorskip("requests")


class TokenServer(Server):
    """Google's login server: a new token each time, or a login that has expired."""

    def __init__(self, first: str, *more: str) -> None:
        super().__init__()
        self.tokens = [first, *more]
        self.expired = False

    async def answer(self, request: Request) -> Reply:
        if self.expired:
            return Reply.json(
                {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}, 400
            )
        token = self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0]
        return Reply.json({"access_token": token, "expires_in": 3600, "token_type": "Bearer"})


@pytest.fixture(autouse=True)
def _nobody_is_logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))


def log_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, login: Server) -> None:
    """As `gcloud auth application-default login` does it."""
    file = tmp_path / "adc.json"
    who = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
    file.write_text(json.dumps(who | {"quota_project_id": "payer"}))
    monkeypatch.setattr("google.oauth2.credentials._GOOGLE_OAUTH2_TOKEN_ENDPOINT", f"{login.url}/token")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))


def on_vertex(server: Any, **options: Any) -> Stage:
    return Stage(
        assistant=connect(Profile("gemini", "gemini", options={"base_url": server.url, "project": "p"} | options))
    )


async def failed(stage: Stage) -> ErrorOccurred:
    record = await stage.conversation.exchange("hi")
    await stage.conversation.aclose()
    assert isinstance(record.event, ErrorOccurred), record
    return record.event


@pytest.mark.parametrize(("api", "kind"), [("generate", GeminiServer), ("interactions", InteractionsServer)])
async def test_a_login_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, api: str, kind: Any) -> None:
    """One token for many requests, with the project that pays."""
    with kind() as server, TokenServer(server.token) as login:
        log_in(monkeypatch, tmp_path, login)
        stage = on_vertex(server, api=api)
        for _ in range(2):
            assert (await stage.conversation.exchange("hi")).state == State.COMPLETED
        await stage.conversation.aclose()
    assert len(login.requests) == 1
    assert server.requests[0].headers["x-goog-user-project"] == "payer"
    assert server.requests[0].path.startswith("/v1beta1/projects/p/locations/global/")


async def test_a_token_that_was_refused_is_renewed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Once for each request; then the person has to log in."""
    with GeminiServer() as server, TokenServer("stale", server.token) as login:
        log_in(monkeypatch, tmp_path, login)
        stage = on_vertex(server)
        assert (await stage.conversation.exchange("hi")).state == State.COMPLETED
        await stage.conversation.aclose()
        assert len(server.requests) == 2
        log_in(monkeypatch, tmp_path, login)
        login.tokens = ["stale"]
        error = await failed(on_vertex(server))
        assert len(server.requests) == 4
    assert error.kind == "authentication"
    assert "gcloud auth application-default login" in error.hint


async def test_nobody_is_logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is said, in the exchange, or before it where the project is needed from the login."""
    with GeminiServer() as server:
        error = await failed(on_vertex(server))
        assert error.kind == "authentication"
        assert "gcloud auth application-default login" in error.hint
        with pytest.raises(NotSetUpError) as caught:
            connect(Profile("gemini", "gemini", options={"vertex": True}))
        assert "gcloud auth application-default login" in caught.value.hint
        assert not server.requests


async def test_a_login_that_has_expired(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The command is said, once, and no retry is tried."""
    with GeminiServer() as server, TokenServer(server.token) as login:
        login.expired = True
        log_in(monkeypatch, tmp_path, login)
        error = await failed(on_vertex(server))
    assert error.kind == "authentication"
    assert "no longer valid" in error.message
    assert "gcloud auth application-default login" in error.hint
    assert not server.requests


async def test_a_login_server_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is the network, not the login."""
    with TokenServer("t") as login:
        log_in(monkeypatch, tmp_path, login)
    with GeminiServer() as server:
        error = await failed(on_vertex(server))
    assert error.kind == "connection"


async def test_what_one_may_not_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An unknown project and a missing role are refused alike; a token is in no word of it."""
    with GeminiServer() as server, TokenServer(server.token) as login:
        log_in(monkeypatch, tmp_path, login)
        server.faults.add(Status(403, message=f"Permission denied on projects/p for {server.token}"))
        stage = on_vertex(server)
        error = await failed(stage)
        assert server.token not in str(stage.records)
        server.faults.clear()
        server.faults.add(Status(404))
        missing = await failed(on_vertex(server))
    assert "roles/aiplatform.user" in error.hint
    assert "location" in missing.hint


async def test_the_project_of_the_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A service account names one."""
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    who = {"type": "service_account", "project_id": "mine", "client_email": "a@b", "private_key": pem}
    (tmp_path / "sa.json").write_text(json.dumps(who | {"token_uri": "http://127.0.0.1:9/"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "sa.json"))
    from asstproxy.providers.gemini.auth import default_project

    assert default_project() == "mine"
