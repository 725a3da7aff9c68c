"""Records and plays cassettes: the same few lines for both, through the library's public door."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomlkit
import yaml
from openai import AsyncOpenAI
from vcr import VCR
from vcr.serializers import yamlserializer

from asstproxy import Record, start_conversation
from asstproxy.core.events import SetUserMessage
from asstproxy.store.session import Session

from .scenarios import TOOLS, Take

__all__ = ["HEADERS", "NO_KEY", "paths", "play", "recorder"]

HEADERS = ("accept", "content-encoding", "content-type", "retry-after")
"""All that a cassette keeps of the headers: no key, cookie, organization or machine can be in it."""
NO_KEY = "no-key-at-all"
"""What servers that want no key are given as one."""


async def play(
    take: Take, *, transport: str = "http", session: Session | None = None, poll: float = 0.0
) -> list[Record]:
    """Hold the conversation; its records, which `session` keeps, too. Its profile goes into ASST_CONFIG_DIR.

    `transport`: `http`, our own, or `sdk`, the vendor's. `poll` is in seconds.
    """
    profile, client = take.profile(poll), None
    if profile["provider"] == "local" and transport == "sdk":  # its profiles know no other transport
        client = AsyncOpenAI(base_url=profile["base_url"], api_key=NO_KEY)
    else:
        profile["transport"] = transport
    file = Path(os.environ["ASST_CONFIG_DIR"]) / "config.toml"
    file.write_text(tomlkit.dumps({"profiles": {"cassette": profile}}), encoding="utf-8")
    user = start_conversation(
        "cassette",
        tools=TOOLS if take.scenario.tools else (),
        options=take.scenario.options,
        client=client,
        session=session,
    )
    try:
        return [record for text in take.scenario.says async for record in user.stream(text)]
    finally:
        await user.aclose()
        if client is not None:
            await client.close()


def paths(records: Iterable[Record]) -> list[str]:
    """For each message of the person, the states that the exchange passed through."""
    ways: list[list[str]] = []
    for record in records:
        if isinstance(record.event, SetUserMessage):
            ways.append([])
        if ways and ways[-1][-1:] != [record.state]:
            ways[-1].append(record.state)
    return [" ".join(way) for way in ways]


def recorder(mode: str) -> VCR:
    """The recorder: in the mode `none` it plays, and refuses a request that was not recorded.

    Requests are the same when their method, address and body (as JSON: the order of keys says nothing) are. Of polls that
    heard the same one after the other, the first is kept: a patient client would have asked only once.
    """
    last: list[bytes] = []

    def bare_response(response: dict[str, Any]) -> dict[str, Any] | None:
        body = response["body"]["string"]
        if body in last:
            return None
        last[:] = [body]
        return response | {"headers": _bare(response["headers"])}

    vcr = VCR(
        record_mode=mode,
        match_on=("method", "uri", "body"),
        serializer="readable",
        decode_compressed_response=True,
        record_on_exception=False,
        before_record_request=_bare_request,
        before_record_response=bare_response,
    )
    vcr.register_serializer("readable", _Readable)
    return vcr


def _bare_request(request: Any) -> Any:
    """Without what says nothing: `"stream": false`, which older cassettes leave out, is what no `stream` means, too."""
    request.headers = _bare(request.headers)
    body = json.loads(request.body) if request.body else None
    if isinstance(body, dict) and body.get("stream") is False:
        del body["stream"]
        request.body = json.dumps(body).encode()
    return request


def _bare(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in headers.items() if name.lower() in HEADERS}


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Text of several lines, such as a stream, stands as it is."""


def _text(dumper: Any, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


class _Readable:
    """YAML that a person can read, and whose differences show in a review."""

    @staticmethod
    def serialize(cassette: dict[str, Any]) -> str:
        return str(yaml.dump(json.loads(json.dumps(cassette)), Dumper=_Dumper, width=10**6, sort_keys=False))

    @staticmethod
    def deserialize(text: str) -> Any:
        return yamlserializer.deserialize(text)
