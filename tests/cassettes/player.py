"""Records and plays cassettes: the same few lines for both, through the library's public door."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomlkit
import yaml  # type: ignore[import-untyped]
from vcr import VCR
from vcr.serializers import yamlserializer

from asstproxy import Record, start_conversation
from asstproxy.core.events import SetUserMessage
from asstproxy.core.session import Session

from .scenarios import TOOLS, Take

__all__ = ["HEADERS", "NO_KEY", "paths", "play", "recorder"]

HEADERS = ("accept", "content-encoding", "content-type", "retry-after")
"""All that a cassette keeps of the headers: no key, cookie, organization or machine can be in it."""
NO_KEY = "no-key-at-all"
"""What servers that want no key are given as one."""


async def play(take: Take, *, client: Any = None, session: Session | None = None, poll: float = 0.0) -> list[Record]:
    """Hold the conversation; its records. The profile goes into the folder that ASST_CONFIG_DIR names.

    `client` is an SDK's client to go through; `session` keeps the records, too.
    """
    folder = Path(os.environ["ASST_CONFIG_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    profiles = {"profiles": {"cassette": take.profile(poll)}}
    (folder / "config.toml").write_text(tomlkit.dumps(profiles), encoding="utf-8")
    user = start_conversation(
        "cassette",
        tools=TOOLS if take.scenario.tools else (),
        options=take.scenario.options,
        client=client,
        session=session,
    )
    records = []
    try:
        for text in take.scenario.says:
            async for record in user.stream(text):
                records.append(record)  # noqa: PERF401 - in case of an error, what came before it is worth a look
    finally:
        await user.aclose()
    return records


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

    Requests are the same when their method, address and body (as JSON: the order of keys says nothing) are.
    """
    vcr = VCR(
        record_mode=mode,
        match_on=("method", "uri", "body"),
        serializer="readable",
        decode_compressed_response=True,
        record_on_exception=False,
        before_record_request=_bare_request,
        before_record_response=_bare_response,
    )
    vcr.register_serializer("readable", _Readable)
    return vcr


def _bare_request(request: Any) -> Any:
    request.headers = _bare(request.headers)
    return request


def _bare_response(response: dict[str, Any]) -> dict[str, Any]:
    return response | {"headers": _bare(response["headers"])}


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
