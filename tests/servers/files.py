"""The stores of files that OpenAI, Anthropic and Google have: multipart or resumable uploads, ids, what was deleted."""

from __future__ import annotations

import email.parser
import email.policy
import re
from dataclasses import dataclass

from .ids import Ids
from .routing import Route
from .wire import ApiError, Json, Reply, Request


@dataclass(frozen=True)
class Stored:
    """A file as it was uploaded; `fields` are the form's other fields."""

    name: str
    media_type: str
    data: bytes
    fields: dict[str, str]


class FormFiles:
    """`POST /v1/files` as OpenAI and Anthropic have it. `stored` holds what is known by its id; delete from it to lose a file."""

    def __init__(self, ids: Ids) -> None:
        self.stored: dict[str, Stored] = {}
        self.uploads = 0
        self._ids = ids

    def routes(self) -> list[Route]:
        """What to add to a server's routes."""
        return [("POST", "/v1/files", self._upload)]

    async def _upload(self, request: Request) -> Reply:
        head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
        parsed = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body)
        fields, file = dict[str, str](), None
        for part in parsed.iter_parts():
            name = str(part.get_param("name", header="content-disposition"))
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            if name == "file":
                file = str(part.get_filename()), part.get_content_type(), data
            else:
                fields[name] = data.decode()
        if file is None:
            raise ApiError(400, "file: Field required")
        self.uploads += 1
        file_id = self._ids("file")
        self.stored[file_id] = Stored(*file, fields)
        return Reply.json({"id": file_id, "object": "file", "filename": file[0], "bytes": len(file[2])})

    def check(self, value: object) -> None:
        """Refuse a request that names a file which is not stored."""
        if isinstance(value, dict):
            name = value.get("file_id")
            if name is not None and name not in self.stored:
                raise ApiError(404, f"File '{name}' not found.")
            for inner in value.values():
                self.check(inner)
        elif isinstance(value, list):
            for inner in value:
                self.check(inner)


class GoogleFiles:
    """Google's Files API: resumable uploads; a video is processed for a while. `stored` is by URI."""

    def __init__(self, url: str = "") -> None:
        self.url = url
        self.stored: dict[str, Stored] = {}
        self.uploads = 0
        self.looks = 0
        self._started: dict[str, tuple[str, str]] = {}

    def routes(self) -> list[Route]:
        """What to add to a server's routes."""
        return [
            ("POST", r"/upload/v1beta/files", self._start),
            ("POST", r"/upload/session/(\d+)", self._finish),
            ("GET", r"/v1beta/files/(\d+)", self._show),
        ]

    async def _start(self, request: Request) -> Reply:
        headers = request.headers
        if (headers.get("x-goog-upload-protocol"), headers.get("x-goog-upload-command")) != ("resumable", "start"):
            raise ApiError(400, "Upload protocol expected.")
        number = str(len(self._started) + 1)
        self._started[number] = request.json["file"]["display_name"], headers["x-goog-upload-header-content-type"]
        return Reply(200, {"x-goog-upload-url": f"{self.url}/upload/session/{number}"})

    async def _finish(self, request: Request, number: str) -> Reply:
        if request.headers.get("x-goog-upload-command") != "upload, finalize":
            raise ApiError(400, "Upload command expected.")
        name, media_type = self._started[number]
        self.uploads += 1
        self.stored[self._uri(number)] = Stored(name, media_type, request.body, {})
        state = "PROCESSING" if media_type.startswith("video/") else "ACTIVE"
        return Reply.json({"file": {"name": f"files/{number}", "uri": self._uri(number), "state": state}})

    async def _show(self, _: Request, number: str) -> Reply:
        self.looks += 1
        return Reply.json({"name": f"files/{number}", "uri": self._uri(number), "state": "ACTIVE"})

    def _uri(self, number: str) -> str:
        return f"{self.url}/v1beta/files/{number}"

    def check(self, body: Json) -> None:
        """Refuse a request that names a file which is not stored."""
        for uri in re.findall(r"'(?:fileUri|uri)': '([^']*)'", str(body)):
            if uri not in self.stored:
                name = uri.rpartition("/")[2]
                raise ApiError(403, f"You do not have permission to access the File {name} or it may not exist.")
