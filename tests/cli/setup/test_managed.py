"""`asst setup gemini --managed`, against the REST calls that Google's SDK makes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from servers import GeminiServer, Reply, Request
from servers.wire import ApiError

from .conftest import Asst, profiles

pytest.importorskip("agentplatform")

PATCH = """\
import google.oauth2.credentials as c
c._GOOGLE_OAUTH2_TOKEN_ENDPOINT = {url!r}
import time
time.sleep = lambda seconds, sleep=time.sleep: sleep(min(seconds, 0.05))
"""


class Platform(GeminiServer):
    """Agent Platform: generateContent as always, and datasets with versions, which are what prompts are."""

    def __init__(self) -> None:
        super().__init__()
        self.datasets: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, int] = {}

    async def answer(self, request: Request) -> Reply:
        found = re.fullmatch(r"/v1beta1/(projects/p/locations/[\w-]+)/datasets(?:/(\d+))?(/.*)?", request.path)
        if request.path == "/token":
            return Reply.json({"access_token": self.token, "expires_in": 3600, "token_type": "Bearer"})
        if found is None:
            return await super().answer(request)
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise ApiError(401)
        parent, number, rest = found.groups()
        if number is None:
            number = str(7000 + len(self.datasets))
            self.datasets[number] = {**request.json, "name": f"{parent}/datasets/{number}"}
            return Reply.json({"name": f"{parent}/datasets/{number}/operations/1"})
        if number not in self.datasets:
            raise ApiError(404)
        dataset = self.datasets[number]
        name = dataset["name"]
        if rest is None:
            if request.method == "PATCH":
                dataset["metadata"] = request.json["metadata"]
            return Reply.json(dataset)
        if rest == "/datasetVersions" and request.method == "POST":
            self.versions[number] = self.versions.get(number, 0) + 1
            return Reply.json({"name": f"{name}/operations/2"})
        if rest == "/operations/1":
            return Reply.json({"name": name + rest, "done": True, "response": {"name": name}})
        version = f"{name}/datasetVersions/{self.versions.get(number, 0)}"
        if rest == "/operations/2":
            return Reply.json({"name": name + rest, "done": True, "response": {"name": version}})
        return Reply.json({"name": version, "metadata": dataset["metadata"]})


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """A project whose login is on this machine, at a server here."""
    patches = tmp_path / "patches"
    patches.mkdir()
    login = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
    (tmp_path / "adc.json").write_text(json.dumps(login))
    with Platform() as server:
        (patches / "sitecustomize.py").write_text(PATCH.format(url=f"{server.url}/token"))
        monkeypatch.setenv("PYTHONPATH", str(patches))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "adc.json"))
        monkeypatch.setenv("GOOGLE_VERTEX_BASE_URL", server.url)
        monkeypatch.setenv("NO_GCE_CHECK", "true")
        yield server


def test_stored_changed_and_loaded(asst: Asst, platform: Platform, config: Path) -> None:
    """A prompt is made, a second run makes a new version of it, and another profile loads it by its id."""
    ran = asst(
        "setup", "gemini", "--managed", "--project", "p", "--location", "us-central1",
        "-m", "gemini-4-carbon", "--preset", "stocks", "--yes",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "takes ten seconds" in ran.err
    first = profiles(config)["gemini"]
    assert (first["managed_prompt"], first["managed_version"]) == ("7000", "1")
    message = platform.datasets["7000"]["metadata"]["prompt_api_schema"]["multimodal_prompt"]["prompt_message"]
    assert message["model"] == "gemini-4-carbon"
    assert "private investor" in json.dumps(message["system_instruction"])
    assert "get_stock_price" in json.dumps(message["tools"])
    assert asst("setup", "gemini", "--managed", "-s", "Be brief.", "--yes").code == 0
    assert profiles(config)["gemini"]["managed_version"] == "2"
    assert len(platform.datasets) == 1

    ran = asst(
        "setup",
        "gemini",
        "--name",
        "copy",
        "--managed-id",
        "7000",
        "--project",
        "p",
        "--location",
        "us-central1",
        "--yes",
    )
    assert ran.code == 0, ran.err
    copy = profiles(config)["copy"]
    assert (copy["model"], copy["instructions"]) == ("gemini-4-carbon", "Be brief.")
    assert {name.rpartition(":")[2] for name in copy["tools"]} == {"get_stock_price", "buy_or_sell"}
    assert asst("ask", "-p", "copy", "hi").code == 0


def test_prompt_that_is_not_there(asst: Asst, platform: Platform, config: Path) -> None:
    """An id that nobody knows is one line; nothing was changed."""
    arguments = ["setup", "gemini", "--managed-id", "999", "--project", "p", "--yes"]
    ran = asst(*arguments)
    assert ran.code == 3
    assert "404" in ran.complaint
    assert not config.exists()


def test_no_login(asst: Asst, platform: Platform, config: Path, tmp_path: Path) -> None:
    """Without a login, the command that makes one is said."""
    env = {"GOOGLE_APPLICATION_CREDENTIALS": "", "CLOUDSDK_CONFIG": str(tmp_path / "gcloud")}
    ran = asst("setup", "gemini", "--managed", "--project", "p", "--no-check", "--yes", env=env)
    assert ran.code == 3
    assert "gcloud auth application-default login" in ran.complaint
    assert not config.exists()
