"""A server with assistants, as a profile describes it, and the assistant that `asst setup assistants` keeps there."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from urllib.parse import urlsplit

import asstproxy.provider as ap

__all__ = [
    "INFO",
    "Options",
    "assistant_of",
    "connected",
    "cut_of",
    "explain",
    "functions",
    "models",
    "new_thread",
    "provision",
    "text_of",
    "withdraw",
    "written_by",
]

INFO = ap.ProviderInfo(
    "any server that speaks the Assistants API",
    key_variables=("ASSISTANTS_API_KEY",),
    key_optional=True,
    questions=(*ap.SERVER_QUESTIONS, ap.SetupQuestion("assistant_id", "An assistant that exists at the server.")),
    remote="assistant_id",
)
SHUT_DOWN = re.compile(r"(^|\.)(openai\.com|openai\.azure\.com|cognitiveservices\.azure\.com)$")
INSTRUCTIONS = "You are a helpful assistant."
"""For a profile without instructions: a run without any makes open-assistant-api fail (its event has no place for none)."""
BATCH = 32
"""Messages that a thread can begin with."""
OWNER = "asst"
"""The key in the metadata of the assistants that asst has created: only these it changes and deletes."""


class Options(ap.PolledOptions, frozen=True):
    """A profile's own keys."""

    assistant_id: str = ""
    poll: float = 1.0


def connected(profile: ap.Profile) -> ap.Transport:
    """A transport to the server of this profile.

    Raises:
        NotSetUpError: the profile names none, or one that has shut the API down.
    """
    host = (urlsplit(ap.base_url(profile, INFO)).hostname or "").rstrip(".")
    if SHUT_DOWN.search(host):
        message = f"{host} no longer has assistants: OpenAI and Azure shut the Assistants API down on 2026-08-26."
        raise ap.NotSetUpError(
            message, 'Set provider = "gpt" in the profile.', code="assistants_shut_down", data={"profile": profile.name}
        )
    return ap.http_transport(profile, profile.read(Options), INFO, headers={"OpenAI-Beta": "assistants=v2"})


def assistant_of(profile: ap.Profile) -> str:
    """The id of this profile's assistant.

    Raises:
        NotSetUpError: the profile names none.
    """
    if not (number := profile.read(Options).assistant_id):
        raise ap.NotSetUpError(
            f"The profile '{profile.name}' has no assistant_id.",
            "Set assistant_id in the profile.",
            code="assistant_missing",
            data={"provider": profile.provider, "profile": profile.name},
        )
    return number


def written_by(run: str, messages: ap.JSON) -> Iterator[ap.JSON]:
    """What the assistant wrote in this run, in order, from a list of a thread's messages with the newest first.

    A server that does not say which run wrote a message can only mean those after the user's last one.
    """
    if (error := ap.find_error(messages)) is not None:  # with the status of a success
        raise ap.reported_error(error)
    newest = takewhile(lambda message: message.get("role") != "user", ap.get_objects(messages, "data"))
    nameless = [one for one in newest if not ap.get_text(one, "run_id")]
    found = [one for one in ap.get_objects(messages, "data") if one.get("run_id") == run or one in nameless]
    yield from (one for one in reversed(found) if one.get("role") == "assistant")


def text_of(part: ap.JSON) -> str:
    """The text of a part of a message; other servers have it where the other APIs have theirs."""
    return ap.get_text(part, "text", "value") or ap.get_content(part, "text") or ap.get_text(part, "refusal")


def cut_of(message: ap.JSON) -> str:
    """Why a message is incomplete; empty if it is not."""
    is_cut = ap.get_text(message, "status") == "incomplete"
    return (ap.cut_by(ap.get_text(message, "incomplete_details", "reason")) or "incomplete") if is_cut else ""


def functions(tools: Iterable[ap.ToolSpec]) -> list[ap.JSON]:
    """The functions as this API describes them."""
    schemas = [{"name": t.name, "description": t.description, "parameters": t.parameters} for t in tools]
    return [{"type": "function", "function": schema} for schema in schemas]


def explain(error: ap.AssistantError) -> ap.AssistantError:
    """The error, with a hint that names the key of the profile to look at."""
    if error.kind == "authentication":
        error.hint = (
            "Set ASSISTANTS_API_KEY, or the variable that api_key_env in the profile names, to a key of this server."
        )
    elif error.kind == "not_found" and re.search(r"\bassistant\b", str(error).lower()):
        error.hint = "Set assistant_id in the profile to an assistant that this server has."
    return error


def _id_of(reply: ap.JSON, what: str) -> str:
    """The id of what the server has created; a refusal may have the status of a success."""
    if number := ap.get_text(reply, "id"):
        return number
    if (error := ap.find_error(reply)) is not None:
        raise ap.reported_error(error)
    raise ap.AssistantError("protocol", f"The server created no {what}.", "Check base_url.")


async def new_thread(transport: ap.Transport, items: Iterable[ap.Item]) -> str:
    """A thread that contains this conversation; its id.

    Raises:
        AssistantError: the server refuses, or can't be reached.
    """
    messages = ap.in_words(items)
    number = _id_of(await transport.call("POST", "/threads", {"messages": messages[:BATCH]}), "thread")
    for message in messages[BATCH:]:
        await transport.call("POST", f"/threads/{number}/messages", message)
    return number


async def models(profile: ap.Profile) -> list[ap.ModelInfo]:
    """The server's models, where it lists them.

    Raises:
        AssistantError: it has no assistants, can't be reached, or refuses.
    """
    async with contextlib.aclosing(connected(profile)) as transport:
        try:
            await transport.call("GET", "/assistants?limit=1")
        except ap.AssistantError as error:
            raise explain(error) from None
        with contextlib.suppress(ap.AssistantError):
            return await ap.fetch_models(transport, "/models", {})
    return []


async def provision(profile: ap.Profile, tools: Sequence[ap.ToolSpec]) -> ap.Provisioned:
    """Create the assistant of this profile, or update it if asst has created it; another one stays as it is.

    Raises:
        AssistantError: the server refuses, or has no assistant of this id.
        NotSetUpError: the profile names no model.
    """
    async with contextlib.aclosing(connected(profile)) as transport:
        if (number := profile.read(Options).assistant_id) and not await _is_ours(transport, number):
            return ap.Provisioned({"assistant_id": number}, f"Found the assistant {number}. It stays as it is.")
        if not profile.model:
            raise ap.NotSetUpError("An assistant needs a model.", "Set model in the profile.", code="model_missing")
        body: ap.JSON = {"model": profile.model, "name": profile.name, "metadata": {OWNER: profile.name}}
        body |= {"instructions": profile.instructions or INSTRUCTIONS, "tools": functions(tools)}
        made = _id_of(await transport.call("POST", f"/assistants/{number}".rstrip("/"), body), "assistant")
    return ap.Provisioned({"assistant_id": made}, f"{'Updated' if number else 'Created'} the assistant {made}.")


async def withdraw(profile: ap.Profile) -> str:
    """Delete the assistant that asst has created for this profile; what was done, in words.

    Raises:
        AssistantError: the server refuses, or no longer has it.
    """
    number = assistant_of(profile)
    async with contextlib.aclosing(connected(profile)) as transport:
        if not await _is_ours(transport, number):
            return f"The assistant {number} stays at the server: asst did not create it."
        await transport.call("DELETE", f"/assistants/{number}")
    return f"Deleted the assistant {number}."


async def _is_ours(transport: ap.Transport, number: str) -> bool:
    try:
        return bool(ap.get_object(await transport.call("GET", f"/assistants/{number}"), "metadata").get(OWNER))
    except ap.AssistantError as error:
        raise explain(error) from None
