"""Backends for the contract: the local servers of tests/servers, whose model gives the replies of a test."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from asstproxy.core.errors import Kind
from asstproxy.core.roles import AssistantProxy
from asstproxy.testing import (
    Calls,
    CutOff,
    ErrorInAnswer,
    Failure,
    Filtered,
    Hang,
    Length,
    RateLimited,
    ReceivedRequest,
    Reply,
    Signed,
    Text,
)
from servers import Block, Call, Fail, Fault, Incomplete, Json, Output, Say, Status, Think, Wait

__all__ = ["Api", "ServerBackend", "outputs"]


@dataclass(frozen=True)
class Api:
    """What differs between the servers.

    `asks`: the requests that the model replies to. `failures`: the fault for each kind of error that the model itself does not
    bring about. `cut`: the faults that end an answer too early, and let nobody fetch the rest. `faults`: for replies for
    which the servers' model has no words.
    """

    asks: str
    failures: Mapping[Kind, Fault]
    cut: Sequence[Fault]
    faults: Mapping[type[Reply], Fault]


class ServerBackend:
    """A local server that speaks one of the providers' protocols. `proxy` makes a proxy that asks it."""

    def __init__(self, server: Any, api: Api, proxy: Callable[[], AssistantProxy]) -> None:
        self.server, self.api, self.proxy, self.secret = server, api, proxy, server.key
        self._received: list[ReceivedRequest] = []

    def will_reply(self, *replies: Reply) -> None:
        self.server.faults.clear()
        for index, reply in enumerate(replies):
            last = index == len(replies) - 1
            for fault in self._faults(reply):
                on = fault.on or self.api.asks
                self.server.faults.add(replace(fault, skip=index, first=None if last else 1, on=on))
        left = [outputs(reply, self.secret) for reply in replies if not self._refuses(reply)]

        def brain(body: Json) -> list[Output]:
            self._received.append(self._request(body))
            return left.pop(0) if len(left) > 1 else left[0]

        self.server.brain = brain

    def _faults(self, reply: Reply) -> list[Fault]:
        match reply:
            case Failure(kind):
                return [self.api.failures[kind]] if kind in self.api.failures else []
            case RateLimited(seconds):
                return [Status(429, retry_after=seconds)]
            case CutOff():
                return list(self.api.cut)
            case _ if fault := self.api.faults.get(type(reply)):
                return [fault]
        return []

    def _refuses(self, reply: Reply) -> bool:
        """Whether a fault answers, so that the model never sees the request."""
        return any(fault.answer(self.server.vendor) is not None for fault in self._faults(reply))

    def _request(self, body: Json) -> ReceivedRequest:
        path = self.server.requests[-1].path
        model = body.get("model") or path.rpartition("/")[2].partition(":")[0]
        return ReceivedRequest(str(model), body, json.dumps(self.server.contexts[-1], ensure_ascii=False))

    def received(self) -> Sequence[ReceivedRequest]:
        return self._received

    def active_requests(self) -> int:
        kept = [
            one for name in ("responses", "interactions", "runs") for one in getattr(self.server, name, {}).values()
        ]
        runs = sum(1 for one in kept if one.request.get("background") and not one.run.done)
        return int(self.server.open_connections) + runs

    def open_connections(self) -> int:
        return int(self.server.open_connections)


def outputs(reply: Reply, secret: str) -> list[Output]:
    """The reply in the words of the servers' model."""
    match reply:
        case Text(text):
            return [Say(text)]
        case CutOff(text):
            return [Say(text, pieces=[text])]
        case Calls(calls, text):
            return [*([Say(text)] if text else []), *(Call(name, arguments) for name, arguments in calls)]
        case Signed(reply, signature):
            return [Think(encrypted=signature), *outputs(reply, secret)]
        case Length(text):
            return [Say(text), Incomplete("max_output_tokens")]
        case Filtered(text):
            return [Say(text), Incomplete("content_filter")]
        case ErrorInAnswer(text):
            return [Say(text), Fail("server_error", f"The model of {secret} had an error.")]
        case Hang(text):
            return [*([Say(text)] if text else []), Wait(3600)]
        case Failure("content"):
            return [Block()]
        case Failure() | RateLimited():
            return []
