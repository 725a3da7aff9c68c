"""The Responses protocol, from us to the API: the body of a request, and the files in it. What comes back is read in `reader`.

Sources: https://developers.openai.com/api/docs/api-reference/responses, …/files, …/guides/images-vision, …/guides/pdf-files.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from ...core.attachment import Attachment, Upload
from ...core.events import ToolResult
from ...core.history import AssistantMessage, Item, ToolOutputs, UserMessage
from ...core.turn import Turn
from ..attachments import MB, AttachmentFormat, Parts, SentFile, no_parts
from ..fields import get_text, with_hosted_tools
from ..transport import JSON

if TYPE_CHECKING:
    from ..transport.http import HttpTransport

__all__ = ["IMAGES", "RESPONSES", "input_items", "request", "responses_part", "tool_output_items", "user_item"]

KEPT = 48 * 3600
"""Seconds that OpenAI keeps a copy: long enough for a conversation. Its own limits are an hour and 30 days."""
MARGIN = 600
"""Seconds before its end from which a copy is not used any more."""
IMAGES = ("image/png", "image/jpeg", "image/webp", "image/gif")


def request(turn: Turn, items: list[JSON]) -> JSON:
    """The body of `POST /responses`. A setting is sent only when the user set it; `tools` are added to the functions."""
    body: JSON = {"model": turn.model, "input": items}
    if turn.instructions:
        body["instructions"] = turn.instructions
    functions = [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
            "strict": False,  # left out, the API rewrites the schema to its strict subset
        }
        for tool in turn.tools
    ]
    body |= turn.settings | with_hosted_tools(functions, turn.settings)
    if turn.schema is not None:
        from ..answer_schema import named_schema  # late: few turns have one

        chosen = turn.settings.get("text")
        body["text"] = (chosen if isinstance(chosen, dict) else {}) | {
            "format": {"type": "json_schema"} | named_schema(turn.schema)
        }
    return body


def input_items(history: Iterable[Item], parts: Parts = no_parts) -> list[JSON]:
    """The history as input items; what the model itself said goes back unchanged."""
    return [made for item in history for made in _item(item, parts)]


def _item(item: Item, parts: Parts) -> list[JSON]:
    match item:
        case UserMessage(text=text, attachments=attachments):
            return [user_item(text, parts(attachments))]
        case ToolOutputs(results=results):
            return tool_output_items(results)
        case AssistantMessage(raw=list() as raw):
            return list(raw)
        case AssistantMessage(text=text, calls=calls):
            message = [{"type": "message", "role": "assistant", "content": text}] if text else []
            return message + [
                {"type": "function_call", "call_id": c.call_id, "name": c.name, "arguments": c.arguments} for c in calls
            ]


def user_item(text: str, parts: Iterable[JSON] = ()) -> JSON:
    """A message of the person as an input item: its files, then its text."""
    words = [{"type": "input_text", "text": text}] if text else []
    return {"type": "message", "role": "user", "content": [*parts, *words]}


def tool_output_items(results: Iterable[ToolResult]) -> list[JSON]:
    """Tool results as input items. The API has no field for an error, so the output says it."""
    return [
        {
            "type": "function_call_output",
            "call_id": result.call_id,
            "output": result.output if result.error is None else json.dumps({"error": result.error}),
        }
        for result in results
    ]


# ---- files -----------------------------------------------------------------------------------------------------------


def responses_part(file: SentFile) -> JSON:
    """A file as part of a message."""
    if file.attachment.kind == "image":
        where = {"file_id": file.reference} if file.reference else {"image_url": file.url}
        return {"type": "input_image", "detail": "auto", **where}
    if file.reference:
        return {"type": "input_file", "file_id": file.reference}
    return {"type": "input_file", "filename": file.attachment.name, "file_data": file.url}


async def upload(transport: HttpTransport, attachment: Attachment, content: IO[bytes]) -> Upload:
    """Copy a file to OpenAI, for two days.

    Raises:
        AssistantError: the server can't be reached, or refuses.
    """
    fields = {"purpose": "user_data", "expires_after[anchor]": "created_at", "expires_after[seconds]": str(KEPT)}
    file = {"file": (attachment.name, content, attachment.media_type)}
    _, made = await transport.upload("/files", {}, data=fields, files=file)
    return Upload(get_text(made, "id"), time.time() + KEPT - MARGIN)


RESPONSES = AttachmentFormat(
    dict.fromkeys(IMAGES, 50 * MB) | {"application/pdf": 50 * MB}, responses_part, inline=50 * MB, upload=upload
)
"""PDF files: 50 MB each and in a request. Images: their sum may be ten times as much; 50 MB are more than any picture needs."""
