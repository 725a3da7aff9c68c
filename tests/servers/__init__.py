"""Real local HTTP servers that speak the providers' published protocols, and the faults to inject into them."""

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
    Html,
    Insert,
    Redirect,
    Split,
    Stall,
    Status,
    Swap,
    UnknownEvent,
    Vanish,
)
from .framing import BROKEN_FRAMINGS, LEGAL_FRAMINGS
from .http import Server, refused_port
from .plan import Fault
from .responses import ResponsesServer
from .runs import Background
from .wire import ApiError, Json, Reply, Request

__all__ = [
    "BROKEN_FRAMINGS",
    "LEGAL_FRAMINGS",
    "ApiError",
    "Background",
    "Block",
    "Brain",
    "BrokenJson",
    "BrokenUtf8",
    "Call",
    "Cut",
    "Delay",
    "Drop",
    "Duplicate",
    "ErrorEvent",
    "Fail",
    "Fault",
    "Framing",
    "Gzip",
    "Html",
    "Incomplete",
    "Insert",
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
    "Wait",
    "echo",
    "refused_port",
]
