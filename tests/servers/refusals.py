"""Faults that answer instead of the server, which then never sees the request."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .plan import Fault
from .vendors import Vendor
from .wire import ApiError, Reply


@dataclass(frozen=True)
class Status(Fault):
    """A refusal in the vendor's own shape; the server never sees the request."""

    status: int
    code: str | None = None
    message: str | None = None
    retry_after: float | None = None
    as_date: bool = False
    headers: tuple[tuple[str, str], ...] = ()

    def answer(self, vendor: Vendor) -> Reply:
        problem = ApiError(self.status, self.message, code=self.code, retry_after=self.retry_after)
        reply = vendor.refusal(problem, as_date=self.as_date)
        return replace(reply, headers={**reply.headers, **dict(self.headers)})


@dataclass(frozen=True)
class Redirect(Fault):
    """A redirect, as of a captive portal."""

    location: str
    status: int = 307

    def answer(self, vendor: Vendor) -> Reply:
        return Reply(self.status, {"location": self.location})


@dataclass(frozen=True)
class Html(Fault):
    """A web page where JSON was expected."""

    status: int = 200
    page: str = "<!doctype html><html><head><title>Sign in</title></head><body><h1>Wi-Fi</h1></body></html>"

    def answer(self, vendor: Vendor) -> Reply:
        return Reply(self.status, {"content-type": "text/html; charset=utf-8"}, self.page.encode())


@dataclass(frozen=True)
class Document(Fault):
    """JSON that is no answer of this API."""

    text: str
    status: int = 200
    encoding: str = "utf-8"

    def answer(self, vendor: Vendor) -> Reply:
        return Reply(self.status, {"content-type": "application/json"}, self.text.encode(self.encoding))
