"""Google's generateContent: the Gemini Developer API, and the same under the paths of Vertex AI (Agent Platform)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence

from . import sse
from .batches import GoogleBatches
from .brain import Block, Brain, Fail, Output, Think, Wait, as_brain, tokens
from .files import GoogleFiles
from .gemini_checks import Signatures, check_calls, check_request, member
from .gemini_writer import LastChunk, Usage, Writer
from .http import Server
from .ids import Ids
from .plan import Fault
from .routing import Route, dispatch, json_object
from .vendors import GEMINI, Vendor
from .wire import ApiError, Json, Reply, Request, dumps

GEMINI_MODELS = (
    "gemini-3.5-flash-lite",
    "gemini-3.8-flash",
    "gemini-4-hydrogen",
    "gemini-4-argon",
    "gemini-4-carbon",
    "gemini-4-neon",
)
VERTEX = r"/v1(?:beta1)?/(?:projects/[\w-]+/locations/[\w-]+/)?publishers/google/models/([\w.-]+)"
DEVELOPER = r"/v1(?:beta|alpha)?/models/([\w.-]+)"


def check_google_key(request: Request, key: str, token: str) -> None:
    """A developer's key in a header or the query, or a bearer token where the path is Vertex's."""
    if "authorization" in request.headers or "/projects/" in request.path:
        if request.headers.get("authorization") != f"Bearer {token}":
            msg = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other"
            raise ApiError(401, f"{msg} valid authentication credential.")
        return
    given = request.headers.get("x-goog-api-key") or request.query.get("key")
    if not given:
        msg = "Method doesn't allow unregistered callers (callers without established identity). Please use API Key."
        raise ApiError(403, msg)
    if given != key:
        reason = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
        msg = "API key not valid. Please pass a valid API key."
        raise ApiError(400, msg, details=[reason | {"domain": "googleapis.com"}])


class GeminiServer(Server):
    """A fake generativelanguage.googleapis.com and aiplatform.googleapis.com; `contexts` holds what the model saw."""

    def __init__(
        self,
        brain: Brain | Sequence[Iterable[Output]] | None = None,
        *,
        key: str = "AIza-test-0123456789",
        token: str = "ya29.test-token",  # noqa: S107
        models: Sequence[str] = GEMINI_MODELS,
        sign: bool = True,
        call_ids: bool = True,
        last_chunk: LastChunk = "empty_part",
        faults: Sequence[Fault] = (),
        vendor: Vendor = GEMINI,
    ) -> None:
        super().__init__(faults=faults, vendor=vendor)
        self.brain = as_brain(brain)
        self.key, self.token = key, token
        self.models = models
        self.sign, self.call_ids, self.last_chunk = sign, call_ids, last_chunk
        self.contexts: list[list[Json]] = []
        self._ids = Ids()
        self._signatures = Signatures(required=sign)
        self.files = GoogleFiles()
        self.batches = GoogleBatches(self.files, self._ids, self._ask)
        self._routes: list[Route] = [("GET", r"/v1(?:beta|alpha)?/models", self._list), ("GET", DEVELOPER, self._show)]
        self._routes += [*self.files.routes(), *self.batches.routes()]
        for path in (DEVELOPER, VERTEX):
            self._routes += [
                ("POST", path + ":generateContent", self._generate),
                ("POST", path + ":streamGenerateContent", self._stream),
                ("POST", path + ":countTokens", self._count),
            ]

    async def answer(self, request: Request) -> Reply:
        check_google_key(request, self.key, self.token)
        self.files.url = self.url
        return await dispatch(self._routes, request)

    async def _ask(self, path: str, body: Json) -> Reply:
        """A request of a batch."""
        return await dispatch(self._routes, Request("POST", path, {}, {}, dumps(body)))

    async def _begin(self, request: Request, model: str) -> tuple[Writer, list[Output], Json]:
        """Check the request and ask the brain: a writer, the turn, and the head of every chunk."""
        self._known(model, request)
        body: Json = json_object(request)
        turns = check_request(body)
        self.files.check(body)
        self._signatures.check(turns)
        check_calls(turns)
        self.contexts.append(turns)
        config = member(member(body, "generationConfig") or {}, "thinkingConfig") or {}
        usage = Usage(tokens(turns), tokens(turns[:-1]) if len(turns) > 1 else 0)
        thoughts = bool(member(config, "includeThoughts"))
        writer = Writer(self._ids, usage, thoughts, self.sign, self.call_ids, self.last_chunk)
        outputs = list(self.brain(body))
        spoken = [output for output in outputs if not isinstance(output, Wait | Think)]
        if spoken and isinstance(spoken[0], Fail):
            # A failure before the first chunk is an HTTP status; later it can only be said in the stream.
            async for _ in writer.play(output for output in outputs if not isinstance(output, Think)):
                pass
        return writer, outputs, {"modelVersion": model, "responseId": self._ids("gen")}

    async def _generate(self, request: Request, model: str) -> Reply:
        writer, outputs, head = await self._begin(request, model)
        if blocked := _blocked(outputs, writer):
            return Reply.json(blocked | head)
        candidate: Json = {}
        async for chunk in writer.play(outputs):
            candidate |= chunk.get("candidates", [{}])[0]
        if parts := writer.whole():
            candidate["content"] = {"parts": parts, "role": "model"}
            self._signatures.remember(parts)
        return Reply.json({"candidates": [candidate], "usageMetadata": writer.usage.metadata()} | head)

    async def _stream(self, request: Request, model: str) -> Reply:
        chunks = self._chunks(*await self._begin(request, model))
        if request.query.get("alt") == "sse":
            return sse.stream(_frames(chunks))
        return Reply(200, {"content-type": "application/json; charset=UTF-8"}, _array(chunks))

    async def _chunks(self, writer: Writer, outputs: list[Output], head: Json) -> AsyncIterator[Json]:
        if blocked := _blocked(outputs, writer):
            yield blocked | head
            return
        try:
            async for chunk in writer.play(outputs):
                # Before it is sent: the next request may come sooner than the end of this one.
                self._signatures.remember(writer.parts)
                yield chunk | head
        except ApiError as problem:
            yield self.vendor.error_event(problem, "nested")

    async def _count(self, request: Request, model: str) -> Reply:
        self._known(model, request)
        return Reply.json({"totalTokens": tokens(json_object(request))})

    def _known(self, model: str, request: Request) -> None:
        if model not in self.models:
            version, method = request.path.split("/")[1], request.path.rpartition(":")[2]
            msg = f"models/{model} is not found for API version {version}, or is not supported for {method}."
            raise ApiError(
                404, f"{msg} Call ListModels to see the list of available models and their supported methods."
            )

    async def _list(self, request: Request) -> Reply:
        start, size = int(request.query.get("pageToken") or 0), int(request.query.get("pageSize") or 50)
        body: Json = {"models": [_model(model) for model in self.models[start : start + size]]}
        if start + size < len(self.models):
            body["nextPageToken"] = str(start + size)
        return Reply.json(body)

    async def _show(self, request: Request, model: str) -> Reply:
        self._known(model, request)
        return Reply.json(_model(model))


def _model(model: str) -> Json:
    limits = {"inputTokenLimit": 1048576, "outputTokenLimit": 65536}
    methods = ["generateContent", "countTokens"]
    return {"name": f"models/{model}", "displayName": model, **limits, "supportedGenerationMethods": methods}


def _blocked(outputs: list[Output], writer: Writer) -> Json | None:
    block = next((output for output in outputs if isinstance(output, Block)), None)
    if block is None:
        return None
    return {"promptFeedback": {"blockReason": block.reason}, "usageMetadata": writer.usage.metadata()}


async def _frames(chunks: AsyncIterator[Json]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield sse.frame(chunk, newline="\r\n")


async def _array(chunks: AsyncIterator[Json]) -> AsyncIterator[bytes]:
    """Without `alt=sse` the stream is one JSON array."""
    separator = b"["
    async for chunk in chunks:
        yield separator + dumps(chunk)
        separator = b",\r\n"
    yield b"]"
