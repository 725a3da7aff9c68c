"""What a model reads, where its server says so in its list of models: llama.cpp (since 2026) and OpenRouter do."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.attachment import Attachment
from ..core.errors import AssistantError
from .fields import get_objects
from .transport import Transport

__all__ = ["readable_by"]

_NAMES = {"image": "image", "PDF": "file", "audio": "audio", "video": "video"}


async def readable_by(transport: Transport, model: str, accepted: Mapping[str, int]) -> Mapping[str, int]:
    """Of the media types that an API takes, those that this model reads; all of them if the server does not say.

    Raises:
        AssistantError: the server can't be reached, or refuses the key.
    """
    try:
        listed = get_objects(await transport.call("GET", "/models"), "data")
    except AssistantError as error:
        if error.kind in ("not_found", "invalid_request", "protocol", "server"):  # it has no list
            return accepted
        raise
    entry = next((one for one in listed if model in (one.get("id"), *_list(one.get("aliases")))), None)
    if entry is None and len(listed) == 1:  # llama.cpp answers to any name
        entry = listed[0]
    architecture = (entry or {}).get("architecture")
    read = architecture.get("input_modalities") if isinstance(architecture, dict) else None
    if not isinstance(read, list):
        return accepted
    return {kind: most for kind, most in accepted.items() if _NAMES.get(Attachment("", kind, "", 0).kind) in read}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
