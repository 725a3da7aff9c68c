"""An MCP server that misbehaves on request: plain JSON lines, so that it can say what no SDK would say.

python mcp_fake.py MODE [FILE]    the methods that it hears are written down in FILE
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

TEXT = {"type": "text", "text": "said"}
SCHEMA = {"type": "object", "properties": {"text": {"type": "string", "minLength": 1}}}
TOOLS: list[dict[str, Any]] = [
    {"name": name, "description": f"Do {name}.", "inputSchema": SCHEMA}
    for name in [
        "echo",
        "fail",
        "die",
        "hang",
        "rubbish",
        "picture",
        "structured",
        "bad_result",
        "wrong_id",
        "env",
        "huge",
        "mute",
    ]
] + [
    {"name": "with.dots/and more", "description": "x" * 2000, "inputSchema": {"type": "object"}},
    {"name": "n" * 70, "inputSchema": {"type": "object"}},
    {"name": "no_object", "inputSchema": {"type": "object", "anyOf": [{"required": ["a"]}]}},
    {"name": "harmless", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}},
]


def send(value: Any) -> None:
    """One line."""
    sys.stdout.write((value if isinstance(value, str) else json.dumps(value)) + "\n")
    sys.stdout.flush()


def call(name: str, arguments: dict[str, Any]) -> dict[str, Any] | None:
    """The result of a tool; None: no answer."""
    match name:
        case "die":
            sys.stderr.write("Traceback\nValueError: out of order\n")
            sys.stderr.flush()
            os._exit(3)
        case "hang" | "mute":
            return None
        case "rubbish":
            send("this is no JSON")
            send("[]")
            send('{"jsonrpc": "2.0", "id": 999999, "result": {}}')
            return {"content": [TEXT]}
        case "fail":
            return {"content": [{"type": "text", "text": "it is broken"}], "isError": True}
        case "picture":
            picture = {"type": "image", "data": "AAAA", "mimeType": "image/png"}
            file = {"type": "resource", "resource": {"uri": "file:///a", "text": "content"}}
            link = {"type": "resource_link", "uri": "file:///b", "name": "b"}
            return {"content": [TEXT, picture, file, link]}
        case "structured":
            return {"content": [], "structuredContent": {"a": 1}}
        case "bad_result":
            return {"content": "not a list"}
        case "env":
            return {"content": [{"type": "text", "text": json.dumps(dict(os.environ))}]}
        case "huge":
            return {"content": [{"type": "text", "text": "x" * 1_000_000}]}
    return {"content": [{"type": "text", "text": json.dumps(arguments)}]}


def main() -> None:
    """Serve."""
    mode = sys.argv[1]
    heard = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if mode == "child":
        subprocess.Popen(["sleep", f"61.{os.getppid()}"])  # it inherits our streams, and outlives us
    if mode == "once" and heard is not None and heard.exists():
        sys.exit("not again")
    if mode == "noisy":
        send("Starting up ...")
        sys.stderr.write("x" * 100_000)
    for line in sys.stdin:
        request = json.loads(line)
        if heard is not None:
            with heard.open("a") as file:
                file.write(request["method"] + "\n")
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": request.get("id")}
        match request["method"]:
            case "initialize":
                info = {"name": "fake", "version": "1"}
                answer["result"] = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": info}
            case "tools/list" if mode == "endless":
                answer["result"] = {"tools": TOOLS[:1], "nextCursor": "again"}
            case "tools/list" if mode == "no_list":
                answer["error"] = {"code": -32601, "message": "no tools here"}
            case "tools/list":
                page = int((request.get("params") or {}).get("cursor") or 0)
                answer["result"] = {"tools": TOOLS[page : page + 5]}
                if page + 5 < len(TOOLS):
                    answer["result"]["nextCursor"] = str(page + 5)
            case "tools/call":
                result = call(request["params"]["name"], request["params"].get("arguments") or {})
                if result is None:
                    continue
                answer["result"] = result
            case _ if "id" in request:
                answer["error"] = {"code": -32601, "message": "unknown"}
            case _:
                continue
        send(answer)
    if mode == "stubborn":
        time.sleep(60)


if __name__ == "__main__":
    main()
