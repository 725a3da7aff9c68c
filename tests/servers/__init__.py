"""Real local HTTP servers that speak the providers' published protocols, and the faults to inject into them.

    with ResponsesServer([[Think("hm"), Call("price", {"t": "A"})], [Say("It is 4.", pace=0.01)]]) as server:
        server.faults.add(Cut(event=3, how="reset", first=1), Split(5))
        ...  # drive a client at server.base_url with server.key
        await server.eventually(lambda server: server.open_connections == 0)
    assert server.requests[0].json["model"] == "gpt-6-luna"

Brains: a callable from the request's JSON to outputs, or a list of turns that are played in order, one for each run of
the model (a retry is a new run); without one, the model repeats what the user said.
"""

from .anthropic import AnthropicServer
from .assistants import AssistantsServer
from .brain import Block, Brain, Call, Fail, Incomplete, Output, Refuse, Say, Script, Think, Wait, echo
from .faults import (
    BrokenJson,
    BrokenUtf8,
    Cut,
    Delay,
    Drop,
    Duplicate,
    ErrorEvent,
    Framing,
    Gzip,
    Insert,
    Split,
    Stall,
    Swap,
    UnknownEvent,
    Vanish,
)
from .framing import BROKEN_FRAMINGS, LEGAL_FRAMINGS
from .gemini import GeminiServer
from .http import Server, refused_port
from .interactions import InteractionsServer
from .plan import Fault
from .refusals import Document, Html, Redirect, Status
from .responses import ResponsesServer
from .runs import Background
from .vendor import VendorServer
from .wire import ApiError, Json, Reply, Request

__all__ = [
    "BROKEN_FRAMINGS",
    "LEGAL_FRAMINGS",
    "AnthropicServer",
    "ApiError",
    "AssistantsServer",
    "Background",
    "Block",
    "Brain",
    "BrokenJson",
    "BrokenUtf8",
    "Call",
    "Cut",
    "Delay",
    "Document",
    "Drop",
    "Duplicate",
    "ErrorEvent",
    "Fail",
    "Fault",
    "Framing",
    "GeminiServer",
    "Gzip",
    "Html",
    "Incomplete",
    "Insert",
    "InteractionsServer",
    "Json",
    "Output",
    "Redirect",
    "Refuse",
    "Reply",
    "Request",
    "ResponsesServer",
    "Say",
    "Script",
    "Server",
    "Split",
    "Stall",
    "Status",
    "Swap",
    "Think",
    "UnknownEvent",
    "Vanish",
    "VendorServer",
    "Wait",
    "echo",
    "refused_port",
]
