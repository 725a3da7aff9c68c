"""A vendor's server: the APIs of OpenAI, or some of them, under any prefix, with the key in any header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .responses import ResponsesServer
from .wire import ApiError, Json, Reply, Request

EVERYTHING = ("chat/completions", "responses", "models")


class VendorServer(ResponsesServer):
    """A fake of any vendor. `speaks`: its paths. `prefix`: where they are. `owner`: whose models it lists."""

    def __init__(
        self,
        brain: Any = None,
        *,
        speaks: Sequence[str] = EVERYTHING,
        prefix: str = "",
        header: str = "authorization",
        owner: str = "system",
        **options: Any,
    ) -> None:
        super().__init__(brain, **options)
        self.speaks, self.prefix, self.header, self.owner = speaks, prefix, header, owner

    async def answer(self, request: Request) -> Reply:
        path = re.fullmatch(rf"{re.escape(self.prefix)}/({'|'.join(self.speaks)})", request.path)
        if path is None:
            raise ApiError(404, f"Invalid URL ({request})", code="")
        token = request.headers.get(self.header, "").removeprefix("Bearer ")
        headers = {**request.headers, "authorization": f"Bearer {token}"}
        return await super().answer(replace(request, path=f"/v1/{path[1]}", headers=headers))

    def _model(self, model: str) -> Json:
        return super()._model(model) | {"owned_by": self.owner}
