"""OpenAI's Conversations: a list of items on the server that answers are appended to."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from .ids import Ids
from .openai_checks import normalized
from .routing import Route, json_object
from .wire import ApiError, Json, Reply, Request

PREFIXES = {"message": "msg", "function_call": "fc", "function_call_output": "fco", "reasoning": "rs"}


@dataclass
class Conversation:
    """One conversation, and whether an answer is being made in it."""

    head: Json
    items: list[Json] = field(default_factory=list)
    locked: bool = False


class Conversations:
    """All conversations of a server, and the routes to them."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._all: dict[str, Conversation] = {}

    def get(self, conversation_id: str) -> Conversation:
        """A conversation, or a 404."""
        if conversation_id not in self._all:
            raise ApiError(404, f"Conversation with id '{conversation_id}' not found.", code="conversation_not_found")
        return self._all[conversation_id]

    def with_ids(self, items: Iterable[Json]) -> list[Json]:
        """Items as the server keeps them: with an id and a status."""
        kept = []
        for item in items:
            extra = {} if item["type"] == "item_reference" else {"status": "completed"}
            kept.append({"id": self._ids(PREFIXES.get(item["type"], "item")), **extra, **item})
        return kept

    def routes(self) -> list[Route]:
        """Everything under /v1/conversations."""
        one = r"/v1/conversations/(conv_\w+)"
        return [
            ("POST", r"/v1/conversations", self._create),
            ("GET", one, self._show),
            ("POST", one, self._update),
            ("DELETE", one, self._delete),
            ("GET", one + "/items", self._list),
            ("POST", one + "/items", self._append),
            ("GET", one + r"/items/(\w+)", self._item),
            ("DELETE", one + r"/items/(\w+)", self._delete_item),
        ]

    async def _create(self, request: Request) -> Reply:
        body = json_object(request)
        head: Json = {"id": self._ids("conv"), "object": "conversation", "created_at": int(time.time())}
        head["metadata"] = body.get("metadata") or {}
        conversation = Conversation(head, self.with_ids(_at_most_20(body.get("items"))))
        self._all[head["id"]] = conversation
        return Reply.json(head)

    async def _show(self, _: Request, conversation_id: str) -> Reply:
        return Reply.json(self.get(conversation_id).head)

    async def _update(self, request: Request, conversation_id: str) -> Reply:
        head = self.get(conversation_id).head
        head["metadata"] = json_object(request).get("metadata") or {}
        return Reply.json(head)

    async def _delete(self, _: Request, conversation_id: str) -> Reply:
        self.get(conversation_id)
        del self._all[conversation_id]
        return Reply.json({"id": conversation_id, "object": "conversation.deleted", "deleted": True})

    async def _list(self, request: Request, conversation_id: str) -> Reply:
        return page(self.get(conversation_id).items, request)

    async def _append(self, request: Request, conversation_id: str) -> Reply:
        conversation = self.get(conversation_id)
        if conversation.locked:
            raise ApiError(400, code="conversation_locked")
        added = self.with_ids(_at_most_20(json_object(request).get("items")))
        conversation.items += added
        return _listing(added, has_more=False)

    async def _item(self, _: Request, conversation_id: str, item_id: str) -> Reply:
        return Reply.json(_find(self.get(conversation_id), item_id))

    async def _delete_item(self, _: Request, conversation_id: str, item_id: str) -> Reply:
        conversation = self.get(conversation_id)
        conversation.items.remove(_find(conversation, item_id))
        return Reply.json(conversation.head)


def page(items: list[Json], request: Request) -> Reply:
    """One page of a list: `order` (newest first, if not given), `after`, `limit`."""
    ordered = items if request.query.get("order", "desc") == "asc" else items[::-1]
    if after := request.query.get("after"):
        position = [item["id"] for item in ordered].index(after)
        ordered = ordered[position + 1 :]
    limit = int(request.query.get("limit", "20"))
    return _listing(ordered[:limit], has_more=len(ordered) > limit)


def _listing(items: list[Json], *, has_more: bool) -> Reply:
    ends = {"first_id": items[0]["id"], "last_id": items[-1]["id"]} if items else {"first_id": None, "last_id": None}
    return Reply.json({"object": "list", "data": items, "has_more": has_more, **ends})


def _at_most_20(items: object) -> list[Json]:
    kept = normalized(items)
    if len(kept) > 20:
        msg = f"Invalid 'items': array too long. Expected at most 20 elements, but got {len(kept)} instead."
        raise ApiError(400, msg, code="array_above_max_length", param="items")
    return kept


def _find(conversation: Conversation, item_id: str) -> Json:
    found = next((item for item in conversation.items if item["id"] == item_id), None)
    if found is None:
        raise ApiError(404, f"Item with id '{item_id}' not found.", code="item_not_found")
    return found
